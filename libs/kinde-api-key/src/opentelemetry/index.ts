export { KindeApiKeyTelemetry } from './kinde-api-key-telemetry.js';

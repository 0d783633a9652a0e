// One plain project: Stryker does not read `projects`. It runs this in a copy of the repository, and sets `testRegex`.
import { project } from '../../jest.config.mjs';

export default project('mutation', '\\.spec\\.ts$');

// Runs the doctor of the command line as a process of its own, with the variables of the environment.
process.argv.splice(2, Number.POSITIVE_INFINITY, 'doctor', '--json');
await import('../../libs/kinde-api-key/src/cli/main.js');

import { askEverything } from './consumer.js';

void askEverything().then((answers) => console.log(JSON.stringify(answers)));

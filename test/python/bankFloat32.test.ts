import { testBank } from './bank/suite.js';

testBank('float32');

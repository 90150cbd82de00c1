// Owns what an app may import. Everything else may change.

export { ExeuntEnded, ExeuntError, ExeuntMisuse, ExeuntRefused, ExeuntUnreachable } from './errors.js';
export { Exeunt } from './exeunt.js';
export { ExeuntStrategy } from './strategy.js';

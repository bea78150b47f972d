/**
 * Replaces stdout and stderr of a guest's process by streams that write at once, so that no result overtakes what was printed before it.
 * Node's own streams make their file descriptors non-blocking: then `fs.writeSync(1, …)` fails while the parent is busy.
 */
import { Writable } from 'node:stream';
import { writeBytes } from './frames.js';

function streamTo(fd: 1 | 2): Writable {
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      writeBytes(fd, chunk);
      done();
    },
  });
  return Object.assign(stream, { fd });
}

Object.defineProperty(process, 'stdout', { value: streamTo(1) });
Object.defineProperty(process, 'stderr', { value: streamTo(2) });

/** The thread of a helper: see backend/threads.ts. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { HelperMessage, HelperStart } from '../backend/controlBlock.js';
import { HelperLoop } from '../backend/helper.js';

// The loop never returns to the event loop, so messages are fetched.
const receive = (): HelperMessage | undefined => (parentPort ? receiveMessageOnPort(parentPort)?.message : undefined);
new HelperLoop(workerData as HelperStart, receive).run();

/** The requests to the process of a file of layers, and its replies: reports on its layers, as data. */
import type { LayerReport, Refusal } from '../../gradCheck/anyLayer/report.js';
import type { GuestAssignment } from '../guest/protocol.js';

export interface Assignment extends GuestAssignment {
  /** Whether Float32Array stays what it is; otherwise Float64Array takes its place before the file is loaded. */
  float32: boolean;
}

export interface Request {
  /** Check a layer, or call it once: another process tells whether Float64Array makes a difference. */
  kind: 'check' | 'probe';
  name: string;
  /** By default, the library's. */
  seed?: number;
}

/** An export that is no layer. */
export interface OtherExport {
  name: string;
  /** Its kind, with its article: a function, a class, an object. */
  kind: string;
  /** Its functions, if it has one of a layer's. */
  functions?: string[];
}

/** Exports that are described, and layers of a file. */
export const MAX_OTHERS = 50;
export const MAX_LAYERS = 10_000;

/** Numbers of a probe that are compared. */
export const MAX_NUMBERS = 10_000;

/** A reply has the number of its request; the first reply, 0, says that the file is loaded. */
export type Reply = { id: number } & (
  | { kind: 'loaded'; layers: string[]; others: OtherExport[] }
  | { kind: 'checked'; report: LayerReport }
  /** null for a number that is not finite, or if the layer cannot be called. */
  | { kind: 'probed'; numbers: (number | null)[] | null }
);

/** The report on a layer that was not judged. */
export function refusedReport(name: string, float32: boolean, refused: Refusal): LayerReport {
  const tried = { points: 0, dropped: 0, kinks: 0, undecided: 0 };
  return { name, ok: false, precision: float32 ? 'float32' : 'float64', refused, inputs: [], properties: [], tried };
}

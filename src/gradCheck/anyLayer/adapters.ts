/** Layers from what people already have: a class with a forward and a backward method, an activation with its derivative, a loss. */

import { DRAW, type Draw, defineLayer, type Layer, type LayerContext, type LayerOptions, type SizeChoices, type Sizes } from './layer.js';
import { callMethod, memberAt, memberIfThere, setMember } from './members.js';
import { isRecord, readIntegers, readReal } from './values.js';

/** A member of C by name, or a path to a member of a member: `'linear.weight'`, `'layers.0.bias'`. Private ones too. */
export type MemberPath<C> = Extract<keyof C, string> | (string & {});

/** A class with a forward and a backward method. Its input is called x. */
export interface ClassSpecification<S extends SizeChoices, C extends object> extends LayerOptions {
  sizes?: S;
  /** Makes an instance that shares no array with another one. It draws the parameters, or leaves them to the class: Math.random is
   * seeded while it runs. It may be async. */
  create(sizes: { readonly [letter in keyof S]: number }, draw: Draw): C | Promise<C>;
  /** Draws the input x, after `create`, from the same draw. */
  input(sizes: { readonly [letter in keyof S]: number }, draw: Draw): unknown;
  /**
   * The parameters by name: where an instance keeps the value, and where it keeps the gradient after backward. A parameter that has the same
   * number everywhere, such as a gain of 1 or a bias of 0, is drawn around that number, because it would hide mistakes.
   */
  parameters?: Readonly<Record<string, readonly [value: MemberPath<C>, gradient: MemberPath<C>]>>;
  /**
   * The method that takes x and returns the output. Default 'forward'. A method gets the context too, if it has a second parameter without
   * a default.
   */
  forward?: MemberPath<C>;
  /** The method that takes the gradient of the output and returns that of x. Default 'backward'. */
  backward?: MemberPath<C>;
  /** Where an instance keeps the output, if forward does not return it. */
  output?: MemberPath<C>;
  /** Where an instance keeps the gradient of x, if backward does not return it. */
  inputGradient?: MemberPath<C>;
  /** Whether backward adds to the gradients that the instance holds: to those of all parameters, or of those named. */
  accumulates?: boolean | readonly string[];
}

/** A class specification with its defaults filled in, and without its types. */
interface ClassLayer {
  create(sizes: Sizes, draw: Draw): object | Promise<object>;
  input(sizes: Sizes, draw: Draw): unknown;
  parameters: Readonly<Record<string, readonly [value: string, gradient: string]>>;
  forward: string;
  backward: string;
  output: string | undefined;
  inputGradient: string | undefined;
  constant: readonly string[];
  accumulates: readonly string[];
}

/** The instance of a forward, for the backward that follows it. */
const INSTANCE = Symbol('instance');

/**
 * The layer of a class. Each forward gets an instance of its own, made by `create` from the same draws, with the parameters of the point.
 * @throws TypeError if `create` or `input` is not a function, or a parameter is called x or has not two paths
 */
export function fromClass<const S extends SizeChoices, C extends object>(specification: ClassSpecification<S, C>): Layer {
  const { create, input, parameters = {}, forward = 'forward', backward = 'backward', output, inputGradient, ...options } = specification;
  checkClass({ create, input, parameters });
  const { constant = [], accumulates = false } = options;
  const names = accumulates === true ? Object.keys(parameters) : accumulates || [];
  const methods = { create, input } as Pick<ClassLayer, 'create' | 'input'>;
  const layer: ClassLayer = { ...methods, parameters, forward, backward, output, inputGradient, constant, accumulates: names };
  return defineLayer({
    ...options,
    accumulates: names,
    inputs: (sizes, draw) => drawInputs(layer, sizes, draw) as object,
    forward: (inputs, context) => callForward(layer, inputs as Values, context),
    backward: (dout, _, context) => callBackward(layer, dout, context),
  });
}

type Values = Record<string, unknown>;

function checkClass({ create, input, parameters }: Pick<ClassLayer, 'parameters'> & Record<'create' | 'input', unknown>): void {
  if (typeof create !== 'function') throw new TypeError('fromClass: create must be a function that returns an instance');
  if (typeof input !== 'function') throw new TypeError('fromClass: input must be a function that returns the input x');
  for (const [name, paths] of Object.entries(parameters)) {
    if (name === 'x') throw new TypeError('fromClass: the input is called x; give the parameter another name');
    const isPair = Array.isArray(paths) && paths.length === 2 && paths.every((path) => typeof path === 'string');
    if (!isPair) throw new TypeError(`fromClass: the parameter ${name} needs two names: ['${name}', 'd${name}']`);
  }
}

function drawInputs({ create, input, parameters, constant }: ClassLayer, sizes: Sizes, draw: Draw): unknown {
  return after(make(create, sizes, draw), (instance) =>
    after(input(sizes, draw), (x) => {
      checkInput(x);
      const values = Object.entries(parameters).map(([name, [path]]) => {
        const value = memberAt(instance, path, `the parameter ${name}`);
        return [name, constant.includes(name) ? value : varied(value, draw)];
      });
      return { x, ...Object.fromEntries(values) };
    }),
  );
}

/** @throws TypeError for a record of inputs, as defineLayer has it */
function checkInput(x: unknown): void {
  if (typeof x !== 'object' || x === null || Array.isArray(x) || readReal(x) || readIntegers(x)) return;
  if (Object.values(x).every((value) => readReal(value) === undefined)) return;
  throw new TypeError('fromClass: input must return the value of x itself, not a record; for several inputs, use defineLayer');
}

/** An instance. Math.random is seeded meanwhile: many classes draw their weights from it, and each forward needs the same instance. */
function make(create: ClassLayer['create'], sizes: Sizes, draw: Draw): object | PromiseLike<object> {
  const { random } = Math;
  const restore = () => {
    Math.random = random;
  };
  Math.random = quickRandom(draw.integer(2 ** 31)[0]);
  try {
    const made = create(sizes, draw);
    if (isThenable(made)) return Promise.resolve(made).finally(restore);
    restore();
    return made;
  } catch (error) {
    restore();
    throw error;
  }
}

/** Numbers in [0, 1), by mulberry32. Seeded streams take ten times as long, and a class may draw 100,000 weights for each forward. */
function quickRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The value; if it is the same number everywhere, one drawn around that number. */
function varied(value: unknown, draw: Draw): unknown {
  const real = readReal(value);
  const first = real?.data[0];
  if (!real || first === undefined || real.data.some((x) => x !== first)) return value;
  return real.form.build(draw.near(first, real.form.size).data);
}

function callForward(layer: ClassLayer, { x, ...values }: Values, context: LayerContext): unknown {
  const again = context[DRAW];
  if (!again) throw new TypeError('fromClass: forward needs the context of a check; to run the class, call it without the adapter');
  return after(make(layer.create, context.sizes, again()), (instance) => {
    for (const [name, [path]] of Object.entries(layer.parameters)) setMember(instance, path, values[name], `the parameter ${name}`);
    Object.assign(context.saved, { [INSTANCE]: instance });
    const returned = callMethod(instance, layer.forward, 'forward', x, context);
    return after(returned, (result) => (layer.output === undefined ? result : memberAt(instance, layer.output, 'output')));
  });
}

function callBackward(layer: ClassLayer, dout: unknown, context: LayerContext): unknown {
  const instance = (context.saved as { [INSTANCE]: object })[INSTANCE];
  const parameters = Object.entries(layer.parameters).filter(([name]) => !layer.constant.includes(name));
  const what = (name: string) => `the gradient of ${name}`;
  const isAdded = (name: string) => layer.accumulates.includes(name);
  for (const [name, [, path]] of parameters) if (isAdded(name)) setMember(instance, path, context.gradients[name], what(name));
  return after(callMethod(instance, layer.backward, 'backward', dout, context), (returned) => {
    const x = layer.inputGradient === undefined ? returned : memberIfThere(instance, layer.inputGradient, what('x'));
    const held = parameters.map(([name, [, path]]) => [name, memberIfThere(instance, path, what(name))] as const);
    for (const [name, value] of held) if (isAdded(name)) context.gradients[name] = value;
    // A missing gradient has no entry. Backward returns nothing for an input without a gradient, such as indices.
    return Object.fromEntries(
      [['x', x] as const, ...held].filter(([name, value]) => value !== undefined && value !== null && !isAdded(name)),
    );
  });
}

/** Calls a function with a value, or with what it promises. Layers that are not async stay so. */
function after<T, R>(value: T | PromiseLike<T>, next: (value: T) => R): R | PromiseLike<R> {
  return isThenable(value) ? (value.then(next) as PromiseLike<R>) : next(value);
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | undefined)?.then === 'function';
}

/** How an activation's derivative is written. */
export interface ActivationOptions {
  /** What the derivative takes: the activation's input, as in 1 - tanh(x)², or its output, as in 1 - y². */
  of: 'input' | 'output';
  /** Draws the input x. Default: 16 normal numbers. For a logarithm: `(draw) => draw.positive(16)`. */
  input?: (draw: Draw) => unknown;
}

/**
 * The layer of a function of one number and its derivative, applied to every entry of an input x.
 * @throws TypeError if one of them is not a function, or `of` is not there
 */
export function fromActivation(f: (x: number) => number, derivative: (value: number) => number, options: ActivationOptions): Layer {
  if (typeof f !== 'function' || typeof derivative !== 'function') {
    throw new TypeError('fromActivation needs two functions of one number: the activation and its derivative');
  }
  const { of, input = (draw: Draw): unknown => draw.normal(16) } = options ?? {};
  if (of !== 'input' && of !== 'output')
    throw new TypeError("fromActivation: say what the derivative takes, { of: 'input' } or { of: 'output' }");
  return defineLayer({
    inputs: (_, draw): { x: unknown } => ({ x: input(draw) }),
    forward: ({ x }): unknown => mapped(x, (entry) => f(entry)),
    backward: (dout, { x }, { outputs }) => {
      const at = readReal(of === 'input' ? x : outputs)?.data ?? [];
      return { x: mapped(dout, (d, i) => d * derivative(at[i])) };
    },
  });
}

/** The value with a function applied to each of its numbers, in the same container. What is not real stays as it is. */
function mapped(value: unknown, f: (entry: number, i: number) => number): unknown {
  const real = readReal(value);
  return real ? real.form.build(real.data.map((entry, i) => f(entry, i))) : value;
}

/** The inputs of a loss, and any other option of a layer. */
export interface LossSpecification<S extends SizeChoices, I extends object> extends Omit<LayerOptions, 'accumulates' | 'batch'> {
  sizes?: S;
  /** Draws the inputs, by name: predictions, targets. */
  inputs(sizes: { readonly [letter in keyof S]: number }, draw: Draw): I;
}

/** What a loss function returns. */
export interface LossResult {
  /** One number, also as an array or a tensor of one entry. */
  loss: unknown;
  /** The gradient of the loss by input. */
  gradients: unknown;
}

/**
 * The layer of a function that returns a loss and its gradients at once. It may be async.
 * @throws TypeError if it is not a function
 */
export function fromLoss<const S extends SizeChoices, I extends object>(
  f: (inputs: I, context: LayerContext) => LossResult | Promise<LossResult>,
  specification: LossSpecification<S, I>,
): Layer {
  if (typeof f !== 'function') throw new TypeError('fromLoss needs a function that returns { loss, gradients }');
  return defineLayer({
    ...specification,
    forward: (inputs: I, context) =>
      after(f(inputs, context), (result) => {
        if (readReal(result?.loss)?.form.size !== 1)
          throw new TypeError('the function must return { loss, gradients }, with one number as the loss');
        context.saved.gradients = result.gradients;
        return result.loss;
      }),
    backward: (dout, _, { saved }) => {
      const [factor] = readReal(dout)?.data ?? [];
      const scaled = (value: unknown) => mapped(value, (d) => d * factor);
      const { gradients } = saved as { gradients: unknown };
      if (!isRecord(gradients)) return scaled(gradients);
      return Object.fromEntries(Object.entries(gradients).map(([name, value]) => [name, scaled(value)]));
    },
  });
}

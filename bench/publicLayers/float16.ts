/** jax-js asks whether a value is a Float16Array, which Node has from version 24 on. */
Object.assign(globalThis, { Float16Array: (globalThis as { Float16Array?: unknown }).Float16Array ?? class Float16Array {} });

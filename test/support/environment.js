import { TestEnvironment as NodeEnvironment } from 'jest-environment-node';

/**
 * Native addons check typed arrays against the host's constructors, and Jest gives each test file a realm of
 * its own: hand the host's to the test.
 */
export default class HostTypedArrays extends NodeEnvironment {
  async setup() {
    await super.setup();
    for (const constructor of [
      ArrayBuffer,
      SharedArrayBuffer,
      Uint8Array,
      Int8Array,
      Uint16Array,
      Int16Array,
      Uint32Array,
      Int32Array,
      Float32Array,
      Float64Array,
      BigInt64Array,
      BigUint64Array,
    ]) {
      this.global[constructor.name] = constructor;
    }
  }
}

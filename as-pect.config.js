/** How as-pect finds and starts the kernel specs: all of them in one module (scripts/test-kernels.js writes it). */
export default {
  entries: ['build/kernels.spec.ts'],
  /** No include files: as-pect's own default pattern has to be replaced by one that matches nothing. */
  include: ['test/kernels/**/*.include.ts'],
  disclude: [/node_modules/],
  instantiate(_memory, createImports, instantiate, binary) {
    return instantiate(binary, createImports({ env: {} }));
  },
};

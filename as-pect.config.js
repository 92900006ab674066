/** How as-pect finds and starts the kernel specs; each spec is a module of its own that keeps its own memory. */
export default {
  entries: ['test/kernels/**/*.spec.ts'],
  /** No include files: as-pect's own default pattern has to be replaced by one that matches nothing. */
  include: ['test/kernels/**/*.include.ts'],
  disclude: [/node_modules/],
  instantiate(_memory, createImports, instantiate, binary) {
    return instantiate(binary, createImports({ env: {} }));
  },
};

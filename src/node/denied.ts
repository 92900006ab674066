/** The option that grants each permission of Node's permission model, by the permission's name in errors. */
const OPTIONS: Readonly<Record<string, [what: string, option: string]>> = {
  FileSystemRead: ['to read files', '--allow-fs-read'],
  FileSystemWrite: ['to write files', '--allow-fs-write'],
  ChildProcess: ['child processes', '--allow-child-process'],
  WorkerThreads: ['worker threads', '--allow-worker'],
  WASI: ['WASI', '--allow-wasi'],
  Addon: ['native addons', '--allow-addons'],
};

/** What Node's permission model forbade, as a sentence; null for every other error. */
export function deniedSentence(error: unknown): string | null {
  const { code, permission, resource } = error as { code?: string; permission?: string; resource?: string };
  if (code !== 'ERR_ACCESS_DENIED') return null;
  const [what, option] = OPTIONS[permission ?? ''] ?? [permission ?? 'this', 'another permission'];
  const where = resource ? ` (${resource})` : '';
  return `Node's permission model forbids ${what}${where}; ${option} is expected.`;
}

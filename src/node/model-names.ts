import { basename, extname } from 'node:path';

/** A path with another ending: `weights/a.safetensors` and `.onnx` give `weights/a.onnx`. */
export function withExtension(path: string, extension: string): string {
  return path.slice(0, path.length - extname(path).length) + extension;
}

/** A file's name without folder and ending. */
export function stemOf(path: string): string {
  return basename(path, extname(path));
}

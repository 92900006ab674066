import { useEffect, useRef } from 'preact/hooks';
import { PIXELS, SIDE } from './images.ts';

/** An image as the network sees it: 28 x 28 greys, enlarged by the page without smoothing. */
export function Picture({ pixels, label }: { pixels: Uint8Array | null; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current!.getContext('2d')!;
    const image = context.createImageData(SIDE, SIDE);
    for (let at = 0; at < PIXELS; at++) {
      const grey = pixels?.[at] ?? 0;
      image.data.set([grey, grey, grey, 255], 4 * at);
    }
    context.putImageData(image, 0, 0);
  }, [pixels]);
  return <canvas ref={canvas} class="pixels" width={SIDE} height={SIDE} role="img" aria-label={label} />;
}

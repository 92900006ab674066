import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { openRoom, train, withPage } from './open.js';

withPage();

const SHORT = 'playground?points=60&epochs=8';

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();

describe('what all rooms share', () => {
  it('says that there is no room to keep a model in', async () => {
    const page = await openRoom(SHORT);
    await train(page);
    const { usage } = await page.evaluate(() => navigator.storage.estimate());
    const session = await page.context().newCDPSession(page);
    const { origin } = new URL(page.url());
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage! + 1000 });
    await press(page, 'Keep in this browser');
    await page.getByText('This browser has no room for the model').waitFor();
    await page.getByRole('link', { name: 'Kept models' }).click();
    await page.getByText('None yet').waitFor();
  });
});

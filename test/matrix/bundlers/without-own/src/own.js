/** The page has no worker of its own. */
export function trainInOwnWorker() {
  return 'not tried';
}

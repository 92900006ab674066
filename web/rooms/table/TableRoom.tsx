/** Your table. */
export function TableRoom() {
  return (
    <section class="lead">
      <h1>Your table</h1>
      <p>This room is being built.</p>
    </section>
  );
}

/** Clothes: Fashion-MNIST. */
export function ClothesRoom() {
  return (
    <section class="lead">
      <h1>Clothes</h1>
      <p>This room is being built.</p>
    </section>
  );
}

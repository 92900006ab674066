/** A sentence for each term of the page. */
export const TERMS = {
  layer:
    'A layer turns the numbers it is given into new ones, each a weighted sum of all of them; the weights are what is learnt.',
  width: 'How many numbers a layer gives: wider layers can hold more, and take longer to train.',
  norm: 'Batch normalisation shifts and scales a layer’s numbers to mean 0 and spread 1 within each batch, which steadies training.',
  activation: 'A bend after each weighted sum; without it, many layers could do no more than one.',
  dropout:
    'While training, this share of a layer’s numbers is set to zero at random, so that the network does not lean on any single one.',
  optimizer:
    'The rule by which each step moves the weights downhill: Adam and AdamW adapt the stride to each weight, SGD takes the same for all.',
  rate: 'How far a step moves the weights: too far and training jumps about, too little and it crawls.',
  schedule:
    'How the learning rate changes during training; most fall towards the end, so that the last steps are small.',
  batch: 'How many rows each step looks at before it moves the weights.',
  epoch: 'One pass over all training rows.',
  patience:
    'Training ends when so many epochs have passed without a better one on the validation rows; the best epoch is kept.',
  seed: 'A number from which all chance is drawn: the same seed and settings give the same model, to the byte.',
  loss: 'How wrong the model is, as one number: training makes it smaller.',
  validation: 'Rows that are not trained on, and show how well the model does on what it has not seen.',
  accuracy: 'The share of rows whose class is said rightly.',
  macroF1:
    'For each class, the balance of how many of its rows are found and how many finds are right; then the mean over the classes.',
  rocAuc:
    'How probable it is that a row of the second class is rated higher than one of the first: 0.5 is chance, 1 is perfect. Of more than two classes: the mean of each against the rest.',
  logLoss:
    'The mean surprise at what is true: low where the model is right and sure, high where it is sure and wrong.',
  r2: 'The share of the variation in the numbers that the model explains: 1 is all of it, 0 is no better than always saying the mean.',
  rmse: 'The root of the mean squared error: a typical error, in the unit of what is predicted, that counts large errors more.',
  mae: 'The mean size of the errors, in the unit of what is predicted.',
  interval:
    'Were other rows of the same kind held out, the figure would lie here 95 times in 100 (found by drawing the rows again and again).',
  importance:
    'How much the loss grows when a column’s cells are shuffled over the rows: a column that matters leaves the model helpless.',
  confusion:
    'Each row of squares is a true class, each column a class that the model said: what lies on the diagonal is right.',
  surface: 'What the model would say at each place of the plane; where two colours meet it changes its mind.',
  noise: 'How far the points are scattered from where they should be.',
  test: 'Points that are not trained on, drawn in the same way.',
  gradient: 'How much the loss would grow if a weight grew a little: a step goes the other way.',
  weight:
    'The number by which an input counts in a unit’s sum; positive ones push it up, negative ones down.',
} as const satisfies Record<string, string>;

export type TermName = keyof typeof TERMS;

import iris from '../../../docs/guide/iris.csv?url';
import bicycles from '../../samples/bicycles.csv?url';
import customers from '../../samples/customers.csv?url';

/** Tables that ship with the page. */
export const SAMPLES = {
  iris: {
    title: 'Iris flowers',
    says: '150 flowers, four measurements: which species? (Fisher, 1936)',
    file: 'iris.csv',
    address: iris,
    target: 'species',
  },
  customers: {
    title: 'Customers',
    says: '2,000 invented customers of a telephone company: who leaves?',
    file: 'customers.csv',
    address: customers,
    target: 'left',
  },
  bicycles: {
    title: 'Bicycle hire',
    says: '1,800 invented hours, with dates and gaps: how many rides?',
    file: 'bicycles.csv',
    address: bicycles,
    target: 'rides',
  },
} as const;

export type SampleName = keyof typeof SAMPLES;
export const isSample = (name: string | null): name is SampleName =>
  name !== null && Object.hasOwn(SAMPLES, name);

import type { ConfusionMatrix } from '../metrics/classification.js';
import { ARCHITECTURES, LEARNING_RATES } from './architectures.js';

/*
 * Figures of the published report on the same twelve Fashion-MNIST classifiers (three architectures, four learning
 * rates, weights carried over from rate to rate), copied as printed there, to four digits. Two gaps are the
 * report's own: it prints nine epochs of large2 at 0.005, and four of its twelve tests.
 */

/** One printed epoch: train loss, train accuracy, validation loss, validation accuracy, validation macro-F1. */
export type PublishedEpoch = readonly [
  trainLoss: number,
  trainAccuracy: number,
  valLoss: number,
  valAccuracy: number,
  valMacroF1: number,
];

/** A printed test on Fashion-MNIST's 10,000 test images. */
export interface PublishedTest {
  readonly accuracy: number;
  readonly confusion: ConfusionMatrix;
}

/** What the report prints about one model. */
export interface PublishedModel {
  readonly model: string;
  readonly learningRate: number;
  /** From the first epoch on. */
  readonly epochs: readonly PublishedEpoch[];
  /** Null where the report prints no test. */
  readonly test: PublishedTest | null;
}

/** The model that the report calls its best, though its table gives large2 at 0.001 a higher validation macro-F1. */
export const PUBLISHED_BEST = { model: 'large1', learningRate: 0.001 } as const;

/** The printed epochs, one a row, those of a model in their order. */
const EPOCHS = rowsOf(`
  model    rate  epoch  trainLoss  trainAccuracy  valLoss  valAccuracy  valMacroF1
  large1  0.005      1     0.4126         0.8589   0.3200       0.8858      0.8856
  large1  0.005      2     0.3631         0.8732   0.3126       0.8902      0.8900
  large1  0.005      3     0.3409         0.8819   0.3119       0.8888      0.8878
  large1  0.005      4     0.3241         0.8878   0.3051       0.8902      0.8896
  large1  0.005      5     0.3133         0.8909   0.3028       0.8933      0.8929
  large1  0.005      6     0.2982         0.8955   0.2993       0.8958      0.8959
  large1  0.005      7     0.2969         0.8963   0.2955       0.8974      0.8974
  large1  0.005      8     0.2858         0.9009   0.2987       0.8971      0.8969
  large1  0.005      9     0.2795         0.9019   0.2949       0.8994      0.8994
  large1  0.005     10     0.2698         0.9054   0.2948       0.8971      0.8972

  large1  0.004      1     0.3041         0.8939   0.2993       0.8944      0.8944
  large1  0.004      2     0.2743         0.9040   0.2991       0.8972      0.8978
  large1  0.004      3     0.2523         0.9110   0.3008       0.8973      0.8970
  large1  0.004      4     0.2433         0.9146   0.2952       0.9002      0.9002
  large1  0.004      5     0.2353         0.9164   0.3049       0.8997      0.8999
  large1  0.004      6     0.2265         0.9194   0.3046       0.8998      0.9001
  large1  0.004      7     0.2234         0.9210   0.3022       0.9005      0.9010
  large1  0.004      8     0.2195         0.9227   0.3050       0.9015      0.9020
  large1  0.004      9     0.2120         0.9245   0.3035       0.9012      0.9016
  large1  0.004     10     0.2077         0.9266   0.3081       0.9018      0.9017

  large1  0.003      1     0.2279         0.9198   0.3096       0.9023      0.9025
  large1  0.003      2     0.2046         0.9263   0.3105       0.9022      0.9028
  large1  0.003      3     0.1967         0.9293   0.3196       0.9004      0.9007
  large1  0.003      4     0.1849         0.9342   0.3247       0.9015      0.9017
  large1  0.003      5     0.1794         0.9368   0.3154       0.9033      0.9037
  large1  0.003      6     0.1739         0.9375   0.3219       0.9035      0.9039
  large1  0.003      7     0.1689         0.9412   0.3302       0.9033      0.9038
  large1  0.003      8     0.1676         0.9402   0.3307       0.9033      0.9039
  large1  0.003      9     0.1650         0.9429   0.3333       0.9037      0.9042
  large1  0.003     10     0.1607         0.9429   0.3328       0.9044      0.9047

  large1  0.001      1     0.1500         0.9476   0.3324       0.9042      0.9050
  large1  0.001      2     0.1364         0.9517   0.3397       0.9052      0.9062
  large1  0.001      3     0.1308         0.9533   0.3458       0.9048      0.9056
  large1  0.001      4     0.1241         0.9554   0.3491       0.9066      0.9074
  large1  0.001      5     0.1221         0.9562   0.3506       0.9047      0.9055
  large1  0.001      6     0.1177         0.9582   0.3585       0.9058      0.9067
  large1  0.001      7     0.1157         0.9594   0.3563       0.9043      0.9053
  large1  0.001      8     0.1147         0.9597   0.3526       0.9061      0.9068
  large1  0.001      9     0.1149         0.9608   0.3559       0.9057      0.9065
  large1  0.001     10     0.1118         0.9602   0.3627       0.9066      0.9074

  large2  0.005      1     0.3254         0.8835   0.2946       0.8886      0.8890
  large2  0.005      2     0.2984         0.8926   0.2940       0.8930      0.8928
  large2  0.005      3     0.2847         0.8977   0.2978       0.8937      0.8935
  large2  0.005      4     0.2741         0.9026   0.2982       0.8966      0.8962
  large2  0.005      5     0.2702         0.9026   0.2923       0.8969      0.8968
  large2  0.005      6     0.2634         0.9052   0.2971       0.8976      0.8976
  large2  0.005      7     0.2551         0.9075   0.2996       0.8990      0.8988
  large2  0.005      8     0.2528         0.9081   0.2986       0.8981      0.8980
  large2  0.005      9     0.2488         0.9108   0.2975       0.8994      0.8994

  large2  0.004      1     0.2454         0.9101   0.2924       0.8985      0.8989
  large2  0.004      2     0.2347         0.9156   0.2951       0.8996      0.8999
  large2  0.004      3     0.2284         0.9163   0.2978       0.8990      0.8992
  large2  0.004      4     0.2219         0.9188   0.2964       0.9001      0.9004
  large2  0.004      5     0.2192         0.9193   0.2948       0.9010      0.9012
  large2  0.004      6     0.2165         0.9210   0.2991       0.9015      0.9019
  large2  0.004      7     0.2114         0.9228   0.2967       0.9018      0.9021
  large2  0.004      8     0.2095         0.9236   0.3010       0.9020      0.9025
  large2  0.004      9     0.2059         0.9252   0.2998       0.9024      0.9028
  large2  0.004     10     0.2034         0.9264   0.3026       0.9032      0.9035

  large2  0.003      1     0.1924         0.9306   0.3062       0.9045      0.9052
  large2  0.003      2     0.1859         0.9335   0.3078       0.9050      0.9058
  large2  0.003      3     0.1824         0.9354   0.3085       0.9058      0.9062
  large2  0.003      4     0.1781         0.9366   0.3096       0.9063      0.9069
  large2  0.003      5     0.1743         0.9378   0.3134       0.9070      0.9075
  large2  0.003      6     0.1716         0.9392   0.3148       0.9078      0.9083
  large2  0.003      7     0.1683         0.9405   0.3176       0.9079      0.9082
  large2  0.003      8     0.1658         0.9416   0.3194       0.9082      0.9087
  large2  0.003      9     0.1627         0.9429   0.3187       0.9091      0.9094
  large2  0.003     10     0.1609         0.9442   0.3202       0.9095      0.9099

  large2  0.001      1     0.1484         0.9503   0.3248       0.9104      0.9109
  large2  0.001      2     0.1452         0.9522   0.3267       0.9109      0.9115
  large2  0.001      3     0.1418         0.9536   0.3278       0.9114      0.9119
  large2  0.001      4     0.1387         0.9548   0.3284       0.9118      0.9121
  large2  0.001      5     0.1362         0.9560   0.3310       0.9123      0.9126
  large2  0.001      6     0.1331         0.9572   0.3316       0.9127      0.9129
  large2  0.001      7     0.1309         0.9584   0.3328       0.9131      0.9133
  large2  0.001      8     0.1284         0.9593   0.3345       0.9136      0.9139
  large2  0.001      9     0.1257         0.9603   0.3360       0.9140      0.9144
  large2  0.001     10     0.1239         0.9614   0.3378       0.9144      0.9148

  small   0.005      1     0.2958         0.8921   0.3628       0.8842      0.8845
  small   0.005      2     0.2839         0.8980   0.3580       0.8885      0.8884
  small   0.005      3     0.2760         0.8988   0.3643       0.8878      0.8878
  small   0.005      4     0.2661         0.9027   0.3617       0.8881      0.8883
  small   0.005      5     0.2637         0.9024   0.3594       0.8882      0.8886
  small   0.005      6     0.2660         0.9024   0.3625       0.8872      0.8872
  small   0.005      7     0.2603         0.9051   0.3618       0.8862      0.8859
  small   0.005      8     0.2607         0.9015   0.3638       0.8885      0.8891
  small   0.005      9     0.2585         0.9045   0.3654       0.8878      0.8885
  small   0.005     10     0.2604         0.9036   0.3660       0.8868      0.8876

  small   0.004      1     0.2736         0.8987   0.3660       0.8841      0.8842
  small   0.004      2     0.2674         0.9026   0.3645       0.8905      0.8909
  small   0.004      3     0.2616         0.9054   0.3683       0.8896      0.8900
  small   0.004      4     0.2557         0.9069   0.3614       0.8889      0.8899
  small   0.004      5     0.2529         0.9072   0.3608       0.8899      0.8907
  small   0.004      6     0.2541         0.9085   0.3680       0.8895      0.8895
  small   0.004      7     0.2472         0.9091   0.3681       0.8874      0.8882
  small   0.004      8     0.2469         0.9096   0.3716       0.8922      0.8930
  small   0.004      9     0.2505         0.9095   0.3711       0.8874      0.8880
  small   0.004     10     0.2466         0.9097   0.3666       0.8914      0.8919

  small   0.003      1     0.2581         0.9073   0.3717       0.8881      0.8885
  small   0.003      2     0.2452         0.9116   0.3689       0.8895      0.8900
  small   0.003      3     0.2407         0.9107   0.3742       0.8882      0.8886
  small   0.003      4     0.2361         0.9140   0.3809       0.8897      0.8903
  small   0.003      5     0.2356         0.9142   0.3839       0.8881      0.8889
  small   0.003      6     0.2368         0.9138   0.3785       0.8871      0.8880
  small   0.003      7     0.2318         0.9137   0.3812       0.8894      0.8904
  small   0.003      8     0.2318         0.9140   0.3840       0.8897      0.8904
  small   0.003      9     0.2305         0.9143   0.3823       0.8901      0.8910
  small   0.003     10     0.2296         0.9150   0.3832       0.8890      0.8897

  small   0.001      1     0.2242         0.9184   0.3875       0.8912      0.8920
  small   0.001      2     0.2163         0.9210   0.3877       0.8903      0.8913
  small   0.001      3     0.2152         0.9212   0.3950       0.8894      0.8903
  small   0.001      4     0.2154         0.9204   0.3876       0.8893      0.8902
  small   0.001      5     0.2137         0.9218   0.3908       0.8901      0.8912
  small   0.001      6     0.2102         0.9228   0.3948       0.8884      0.8893
  small   0.001      7     0.2116         0.9215   0.3967       0.8896      0.8905
  small   0.001      8     0.2126         0.9228   0.3936       0.8879      0.8891
  small   0.001      9     0.2071         0.9226   0.3999       0.8892      0.8902
  small   0.001     10     0.2064         0.9238   0.4001       0.8879      0.8891
`).slice(1);

/** The printed tests; rows of a confusion matrix are actual classes, columns predicted ones. */
const TESTS: Readonly<Record<string, PublishedTest>> = {
  'large1 at 0.001': {
    accuracy: 0.9084,
    confusion: numbersOf(`
      879   1  12  15   0   2  85   0   6   0
        4 988   0   7   0   1   0   0   0   0
       14   0 836   9  75   1  61   0   4   0
       19  10   7 910  34   1  16   0   3   0
        0   0  58  21 878   0  41   0   2   0
        0   0   0   0   0 959   1  25   2  13
      137   1  56  18  56   0 726   0   6   0
        0   0   0   0   0   8   0 963   0  29
        5   0   5   1   3   1   5   2 977   1
        0   0   1   0   0   3   0  28   0 968
    `),
  },
  'small at 0.005': {
    accuracy: 0.8873,
    confusion: numbersOf(`
      839   0  11  37   0   1 107   0   5   0
        4 979   2  13   0   1   1   0   0   0
       20   2 782  10 119   0  66   0   1   0
       25   9   7 919  22   0  16   0   2   0
        1   0  46  29 883   0  37   0   4   0
        1   0   1   0   0 951   0  30   4  13
      152   0  76  31  78   0 657   0   6   0
        0   0   0   0   0  20   0 948   0  32
        6   0   6   2   4   2  13   2 965   0
        0   0   0   0   0   9   0  40   1 950
    `),
  },
  'small at 0.004': {
    accuracy: 0.8909,
    confusion: numbersOf(`
      848   1   9  32   0   2 103   0   5   0
        4 985   1   9   0   1   0   0   0   0
       15   0 801  12  93   0  76   0   3   0
       24  10   7 921  22   0  15   0   1   0
        2   2  44  27 878   0  44   0   3   0
        1   0   0   0   0 950   0  29   4  16
      163   1  73  29  76   1 647   0  10   0
        0   0   0   0   0  17   0 957   0  26
        7   0   6   2   3   2  11   2 967   0
        0   0   0   0   0   8   0  37   0 955
    `),
  },
  'small at 0.003': {
    accuracy: 0.8889,
    confusion: numbersOf(`
      854   1  12  26   1   2 100   0   4   0
        6 981   2  10   0   1   0   0   0   0
       17   0 802  10  89   0  79   0   3   0
       29  12   9 907  27   0  14   0   2   0
        2   2  59  25 854   0  55   0   3   0
        0   0   1   0   0 948   0  30   4  17
      155   3  78  25  62   1 669   0   7   0
        0   0   0   0   0  16   0 949   0  35
        5   1   5   2   3   3  14   1 966   0
        0   0   0   0   0   6   0  35   0 959
    `),
  },
};

/** The twelve models of the report, in the order in which `run-all` reports them. */
export const PUBLISHED_MODELS: readonly PublishedModel[] = Object.keys(ARCHITECTURES).flatMap((model) =>
  LEARNING_RATES.map((learningRate) => ({
    model,
    learningRate,
    epochs: EPOCHS.filter(([name, rate]) => name === model && Number(rate) === learningRate).map(
      ([, , , ...figures]) => figures.map(Number) as unknown as PublishedEpoch,
    ),
    test: TESTS[`${model} at ${learningRate}`] ?? null,
  })),
);

/** The words of each line that is not empty. */
function rowsOf(text: string): string[][] {
  return text
    .trim()
    .split(/\s*\n\s*/)
    .map((line) => line.split(/ +/));
}

/** A matrix of numbers, one row a line. */
function numbersOf(text: string): number[][] {
  return rowsOf(text).map((row) => row.map(Number));
}

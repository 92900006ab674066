"""Makes the files of this folder with pyarrow: two tables in several encodings and compressions, and a nested column."""

import datetime
import decimal

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 40


def every_third_empty(values):
    return [None if row % 3 == 2 else value for row, value in enumerate(values)]


names = every_third_empty(["red", "green", "blue"][row % 3 - 1] for row in range(ROWS))
table = pa.table(
    {
        "name": pa.array(names, pa.string()),
        "f64": pa.array(every_third_empty(row * 0.25 for row in range(ROWS)), pa.float64()),
        "f32": pa.array([row / 8 for row in range(ROWS)], pa.float32()),
        "i64": pa.array([row * row - 7 for row in range(ROWS)], pa.int64()),
        "i8": pa.array([row - 20 for row in range(ROWS)], pa.int8()),
        "price": pa.array([decimal.Decimal(row) / 4 for row in range(ROWS)], pa.decimal128(9, 2)),
        "yes": pa.array(every_third_empty(row % 2 == 0 for row in range(ROWS)), pa.bool_()),
        "day": pa.array([datetime.date(2024, 1, 1 + row % 28) for row in range(ROWS)], pa.date32()),
        "when": pa.array(
            [datetime.datetime(2024, 2, 28, row % 24, row) for row in range(ROWS)], pa.timestamp("us")
        ),
    }
)

DELTA = {
    "name": "DELTA_BYTE_ARRAY",
    "f64": "BYTE_STREAM_SPLIT",
    "f32": "BYTE_STREAM_SPLIT",
    "i64": "DELTA_BINARY_PACKED",
    "i8": "DELTA_BINARY_PACKED",
    "price": "PLAIN",
    "yes": "RLE",
    "day": "DELTA_BINARY_PACKED",
    "when": "PLAIN",
}

pq.write_table(table, "dictionary.parquet", compression="snappy", row_group_size=17)
pq.write_table(
    table, "delta.parquet", compression="zstd", use_dictionary=False, column_encoding=DELTA, data_page_version="2.0"
)
few = table.select(["name", "when"])
pq.write_table(few, "brotli.parquet", compression="brotli", use_deprecated_int96_timestamps=True)
pq.write_table(table, "lz4.parquet", compression="lz4", data_page_size=64, write_page_index=True)

small = pa.table(
    {
        "name": ["a", "b", None],
        "n": [1.5, None, -3.0],
        "i": [1, 2, 3],
        "yes": [True, False, True],
        "when": pa.array(
            [datetime.datetime(2024, 1, 31), datetime.datetime(2024, 2, 29, 12, 30), None], pa.timestamp("us")
        ),
    }
)
for compression in ("snappy", "zstd", "gzip"):
    pq.write_table(
        small, f"{compression}.parquet", compression=compression, use_dictionary=False, write_statistics=False, store_schema=False
    )
pq.write_table(pa.table({"l": [[1, 2], [3]]}), "nested.parquet", store_schema=False)

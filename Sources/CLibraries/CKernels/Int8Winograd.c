// Convolutions of 3 x 3 with a stride of 1 on 8-bit integers, by Winograd's minimal filtering F(2 x 2, 3 x 3) (Lavin
// and Gray, arXiv:1509.09308, section 4.1), on processors with AVX2. 16 multiplications give what else takes 36.
//
// All of it is exact: transformed pixels need 11 bits and a sign, transformed weights, times 4 so that they are whole,
// 12, and their products are added in float32 with vpmaddwd. The sums may wrap on the way; four times the answer fits,
// 4 * 9 * 255 * 128 * 1024 < 2^31, and is divided at the end without a rest.
//
// A tile is 2 x 2 pixels of the answer and 4 x 4 of the image. Vectors go over 8 tiles, with two channels in each
// lane, 64 tiles at most at a time: [transformed place][pair of channels][tile][channel]. Answers are made for 32
// channels at a time.
//
// Transformed weights are 16-bit integers in the order in which they are used: [chunk of output channels][transformed
// place][block of input channels][output channel][input channel].
#include "Int8.h"

#ifdef RK_X86

enum {
  places = 16,       // of a transformed tile
  most_vectors = 8,  // of 8 tiles
  chunk = 32,        // output channels
  transposed = 16,
  block = 64,        // pairs of channels whose tiles fit into the first cache
  row = 4 * RK_LANES * most_vectors,  // pixels of all tiles
  channel_sums = (places + 1) * most_vectors  // from one channel's to the next's; caches dislike powers of 2
};

typedef struct {
  const rk_int8_convolution *p;
  int64_t pairs, tile_rows, tile_columns, tiles;
  int64_t place;  // bytes of transformed pixels from one place to the next
  // The scratch of one thread, in bytes: transformed pixels, sums of a chunk, its results, a pixel outside.
  int64_t inputs, sums, results, outside, total;
} job;

static job job_of(const rk_int8_convolution *p) {
  job job = {.p = p, .pairs = p->channels / 2};
  job.tile_rows = rk_quotient(p->out_height, 2), job.tile_columns = rk_quotient(p->out_width, 2);
  job.tiles = p->batch * job.tile_rows * job.tile_columns;
  job.place = (job.pairs + 1) * RK_QUAD_BYTES;
  job.inputs = places * job.place;
  job.sums = (int64_t)chunk * channel_sums * (int64_t)sizeof(__m256i);
  job.results = chunk * row;
  job.outside = rk_aligned(p->channels);
  job.total = job.inputs + job.sums + job.results + job.outside;
  return job;
}

// B'd of four numbers.
RK_AVX2 RK_INLINE void transform_four(__m256i d[4]) {
  __m256i a = _mm256_sub_epi16(d[0], d[2]), b = _mm256_add_epi16(d[1], d[2]);
  __m256i c = _mm256_sub_epi16(d[2], d[1]), e = _mm256_sub_epi16(d[1], d[3]);
  d[0] = a, d[1] = b, d[2] = c, d[3] = e;
}

// Transforms 8 tiles from tile `from`, or less if `count` is, and says where their pixels go.
RK_AVX2 static void transform_tiles(const job *job, int64_t from, int64_t count, uint8_t *inputs,
                                    const uint8_t *outside, int64_t offsets[4 * RK_LANES]) {
  const rk_int8_convolution *p = job->p;
  const uint8_t *pixels[RK_LANES][places];
  for (int64_t lane = 0; lane < RK_LANES; lane++) {
    int64_t tile = from + rk_smaller(lane, count - 1);
    int64_t column = tile % job->tile_columns * 2, tile_row = tile / job->tile_columns;
    int64_t line = tile_row % job->tile_rows * 2, image = tile_row / job->tile_rows;
    for (int64_t i = 0; i < places; i++) {
      int64_t y = line - p->pad_top + i / 4, x = column - p->pad_left + i % 4;
      int is_inside = y >= 0 && y < p->height && x >= 0 && x < p->width;
      pixels[lane][i] = is_inside ? p->x + ((image * p->height + y) * p->width + x) * p->channels : outside;
    }
    for (int64_t i = 0; i < 4; i++) {
      int64_t y = line + i / 2, x = column + i % 2;
      int is_inside = lane < count && y < p->out_height && x < p->out_width;
      int64_t pixel = (image * p->out_height + y) * p->out_width + x;
      offsets[i * RK_LANES + lane] = is_inside ? pixel * p->out_channels : -1;
    }
  }
  for (int64_t c = 0; c < p->channels; c += 16, inputs += 8 * RK_QUAD_BYTES) {
    __m256i transformed[places][RK_LANES];
    for (int lane = 0; lane < RK_LANES; lane++) {
      __m256i d[4][4];
#pragma clang loop unroll(full)
      for (int j = 0; j < 4; j++) {
        __m256i column[4];
#pragma clang loop unroll(full)
        for (int i = 0; i < 4; i++) {
          column[i] = _mm256_cvtepu8_epi16(_mm_loadu_si128((const void *)(pixels[lane][i * 4 + j] + c)));
        }
        transform_four(column);
#pragma clang loop unroll(full)
        for (int i = 0; i < 4; i++) d[i][j] = column[i];
      }
#pragma clang loop unroll(full)
      for (int i = 0; i < 4; i++) {
        transform_four(d[i]);
#pragma clang loop unroll(full)
        for (int j = 0; j < 4; j++) transformed[i * 4 + j][lane] = d[i][j];
      }
    }
    for (int i = 0; i < places; i++) {
      const uint8_t *rows[RK_LANES];
      for (int lane = 0; lane < RK_LANES; lane++) rows[lane] = (const void *)&transformed[i][lane];
      uint8_t *y = inputs + i * job->place;
      rk_int8_turn_rows(rows, 0, y, 4);
      rk_int8_turn_rows(rows, 16, y + 4 * RK_QUAD_BYTES, 4);
    }
  }
}

// The sums of some output channels at one transformed place, over `pairs` pairs of channels.
typedef struct {
  const uint8_t *x;
  const int32_t *weights;  // of the first channel
  int64_t channels, pairs;
  int is_first;
  __m256i *sums;           // of the first channel; those of the next lie `channel_sums` further
} product;

RK_AVX2 RK_INLINE void multiply_vectors(const product *product, const int vectors) {
  const int32_t *weights = product->weights;
  __m256i *sums = product->sums;
  for (int64_t o = 0; o < product->channels; o++, weights += product->pairs, sums += channel_sums) {
    __m256i sum[most_vectors];
#pragma clang loop unroll(full)
    for (int i = 0; i < vectors; i++) {
      sum[i] = product->is_first ? _mm256_setzero_si256() : _mm256_load_si256(sums + i);
    }
    const __m256i *x = (const void *)product->x;
    for (int64_t k = 0; k < product->pairs; k += 2, x += 2 * most_vectors) {
      __m256i a = _mm256_set1_epi32(weights[k]), b = _mm256_set1_epi32(weights[k + 1]);
#pragma clang loop unroll(full)
      for (int i = 0; i < vectors; i++) {
        sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(a, _mm256_load_si256(x + i)));
        sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(b, _mm256_load_si256(x + most_vectors + i)));
      }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < vectors; i++) _mm256_store_si256(sums + i, sum[i]);
  }
}

RK_AVX2 static void multiply(const product *product, int64_t vectors) {
  switch (vectors) {
  case 1: multiply_vectors(product, 1); break;
  case 2: multiply_vectors(product, 2); break;
  case 3: multiply_vectors(product, 3); break;
  case 4: multiply_vectors(product, 4); break;
  case 5: multiply_vectors(product, 5); break;
  case 6: multiply_vectors(product, 6); break;
  case 7: multiply_vectors(product, 7); break;
  case 8: multiply_vectors(product, 8); break;
  }
}

// A'm of four sums: two.
RK_AVX2 RK_INLINE void untransform_four(__m256i a, __m256i b, __m256i c, __m256i d, __m256i *first, __m256i *second) {
  *first = _mm256_add_epi32(_mm256_add_epi32(a, b), c);
  *second = _mm256_sub_epi32(_mm256_sub_epi32(b, c), d);
}

// The pixels of 8 tiles in one channel, from their sums.
RK_AVX2 RK_INLINE void untransform(const __m256i *sums, int32_t bias, __m256i pixels[4]) {
  __m256i rows[2][4];
#pragma clang loop unroll(full)
  for (int j = 0; j < 4; j++) {
    untransform_four(sums[j * most_vectors], sums[(4 + j) * most_vectors], sums[(8 + j) * most_vectors],
                     sums[(12 + j) * most_vectors], &rows[0][j], &rows[1][j]);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 2; i++) {
    untransform_four(rows[i][0], rows[i][1], rows[i][2], rows[i][3], pixels + 2 * i, pixels + 2 * i + 1);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++) pixels[i] = _mm256_add_epi32(_mm256_srai_epi32(pixels[i], 2), _mm256_set1_epi32(bias));
}

// Output channels from `first` to `last` for some tiles.
RK_AVX2 static void run_tiles(const job *job, const uint8_t *inputs, __m256i *sums, uint8_t *results, int64_t first,
                              int64_t last, int64_t vectors, const int64_t *offsets) {
  const rk_int8_convolution *p = job->p;
  for (int64_t from = first; from < last; from += chunk) {
    int64_t channels = rk_smaller(chunk, last - from);
    const int32_t *weights = (const int32_t *)p->weights + from * places * job->pairs;
    for (int64_t place = 0; place < places; place++) {
      for (int64_t pair = 0; pair < job->pairs; pair += block) {
        product product = {
            .x = inputs + place * job->place + pair * RK_QUAD_BYTES,
            .weights = weights, .channels = channels, .pairs = rk_smaller(block, job->pairs - pair),
            .is_first = pair == 0, .sums = sums + place * most_vectors};
        multiply(&product, vectors);
        weights += channels * product.pairs;
      }
    }
    for (int64_t o = 0; o < channels; o++) {
      for (int64_t i = 0; i < vectors; i++) {
        __m256i pixels[4];
        untransform(sums + o * channel_sums + i, p->bias[from + o], pixels);
        if (p->y) {
          rk_int8_round_sums(p, from + o, pixels, results + o * row + i * 4 * RK_LANES, 4);
          continue;
        }
        for (int64_t k = 0; k < 4 * RK_LANES; k++) {
          int64_t offset = offsets[i * 4 * RK_LANES + k];
          if (offset >= 0) rk_int8_finish(p, offset + from + o, from + o, ((const int32_t *)pixels)[k]);
        }
      }
    }
    for (int64_t o = 0; p->y && o < channels; o += transposed) {
      rk_int8_write_turned(p, results + o * row, row, from + o, rk_smaller(transposed, channels - o), offsets,
                           vectors * 4 * RK_LANES);
    }
  }
}

RK_AVX2 static void convolve(void *context) {
  const job *job = context;
  const rk_int8_convolution *p = job->p;
  int64_t thread = omp_get_thread_num(), threads = omp_get_num_threads();
  uint8_t *inputs = (uint8_t *)rk_aligned((intptr_t)p->scratch) + thread * job->total;
  __m256i *sums = (void *)(inputs + job->inputs);
  uint8_t *results = inputs + job->inputs + job->sums, *outside = results + job->results;
  memset(outside, p->zero, p->channels);

  int64_t vectors = rk_quotient(job->tiles, RK_LANES), chunks = rk_quotient(p->out_channels, chunk);
  double products = chunk * (double)job->pairs * places * 1.3;
  rk_int8_shares shares = rk_int8_shares_of(vectors, chunks, products, (double)job->pairs * 60,
                                            (double)p->out_channels * (double)job->pairs * places * 4, threads);
  int64_t first = chunks * shares.channel / shares.channels * chunk;
  int64_t last = rk_smaller(chunks * (shares.channel + 1) / shares.channels * chunk, p->out_channels);
  int64_t vector = vectors * shares.pixel / shares.pixels, end = vectors * (shares.pixel + 1) / shares.pixels;
  while (vector < end && first < last) {
    int64_t count = rk_next(end - vector, most_vectors), offsets[row];
    for (int64_t i = 0; i < count; i++) {
      int64_t tile = (vector + i) * RK_LANES;
      transform_tiles(job, tile, rk_smaller(RK_LANES, job->tiles - tile), inputs + i * RK_LANES * RK_PLACES, outside,
                      offsets + i * 4 * RK_LANES);
    }
    run_tiles(job, inputs, sums, results, first, last, count, offsets);
    vector += count;
  }
}

// With less, transforming and reading transformed weights takes longer than what is saved.
static int accepts(const rk_int8_convolution *p) {
  return p->channels >= 32 && p->out_channels >= 16 &&
         p->batch * rk_quotient(p->out_height, 2) * rk_quotient(p->out_width, 2) >= 32 && p->groups == 1 &&
         p->kernel_height == 3 && p->kernel_width == 3 && p->stride_height == 1 && p->stride_width == 1 &&
         p->dilation_height == 1 && p->dilation_width == 1 && p->channels % 16 == 0 && p->channels <= 1024;
}

static int64_t transformed_at(const rk_int8_convolution *p, int64_t o, int64_t c, int64_t place) {
  int64_t from = o - o % chunk, channels = rk_smaller(chunk, p->out_channels - from);
  int64_t first = c - c % (2 * block), inputs = rk_smaller(2 * block, p->channels - first);
  return (from * places + place * channels) * p->channels + first * channels + (o - from) * inputs + c - first;
}

// 2G w 2G' of F(2 x 2, 3 x 3): four times what the algorithm asks for, so that it is whole.
static void transform_filter(const rk_int8_convolution *p, int64_t o, int64_t c, const int8_t *w, int16_t *packed) {
  int rows[4][3];
  for (int j = 0; j < 3; j++) {
    int a = w[j], b = w[3 + j], d = w[6 + j];
    rows[0][j] = 2 * a, rows[1][j] = a + b + d, rows[2][j] = a - b + d, rows[3][j] = 2 * d;
  }
  for (int i = 0; i < 4; i++) {
    int a = rows[i][0], b = rows[i][1], d = rows[i][2], all[4] = {2 * a, a + b + d, a - b + d, 2 * d};
    for (int j = 0; j < 4; j++) packed[transformed_at(p, o, c, i * 4 + j)] = (int16_t)all[j];
  }
}

static int64_t packed_bytes(const rk_int8_convolution *p, const int8_t *weights) {
  (void)weights;
  return places * p->out_channels * p->channels * (int64_t)sizeof(int16_t);
}

static void pack(const rk_int8_convolution *p, const int8_t *weights, void *packed) {
  for (int64_t o = 0; o < p->out_channels; o++) {
    for (int64_t c = 0; c < p->channels; c++, weights += 9) transform_filter(p, o, c, weights, packed);
  }
}

static int64_t scratch(const rk_int8_convolution *p) { return job_of(p).total; }

static void run(const rk_int8_convolution *p) {
  job job = job_of(p);
  rk_parallel(convolve, &job);
}

const rk_int8_kernel rk_int8_winograd = {
    "own int8 winograd avx2", RK_HAS_AVX2, accepts, packed_bytes, pack, scratch, run};

#endif

// Convolutions and dense layers on 8-bit integers: exact sums, on processors with AVX2.
//
// Goals, in order: exact; nothing allocated; fast on one thread and on two; the same bytes for any number of threads.
//
// vpmaddubsw multiplies 32 bytes and adds them in pairs, but cuts each sum at 16 bits, and bringing the sums to 32 bits
// (vpmaddwd) costs as much as multiplying. Both are mended when weights are packed. A lane of 16 bits holds what it is
// given, whatever the activations are, while its positive weights, and its negative ones, sum to no more than 128:
// 255 * 128 < 2^15. So weights are bundled: up to four quads of a channel, whose products are added in 16 bits and
// brought to 32 once. What is too large for a lane by itself is split off into a second entry. Of normally distributed
// weights nearly all bundles are full, and a bundle takes 5 multiplications where 4 x 2 are the common way.
//
// For a lane to be of one channel's weights alone, vectors go over pixels: 8 pixels of 4 places. The pixels of a tile,
// at most 64, are packed that way, [quad][pixel][place], and each weight is multiplied by all of them; sums stay in 8
// registers. Quads are taken in blocks that fit into the first cache with all their pixels. The results of 16 channels
// are transposed back to NHWC at the end.
//
// The places of a window are its weights' in the order of its bytes in an image; where the bytes of a row of the
// window lie one after the other, the row is one run of places; else each pixel is. A run is cut into quads of 4
// places. Each output channel has a list of entries for each block of quads: a quad's place in the block, in bytes of a
// packed tile of pixels, and its weights as bytes. Each quad has one entry, or two whose sum counts. Entries come in
// bundles of 4, of 3, of 2 and of 1 whose products can be added in 16 bits. The channels of a panel come in an order in
// which those with as many bundles follow each other: loops of the same length are foreseen.
#include "Int8Bundles.h"

#ifdef RK_X86

typedef struct {
  const rk_int8_convolution *p;
  layout layout;
  rk_int8_windows windows;
  // The scratch of one thread, in bytes: that of windows, a packed tile, sums of a panel, its results.
  int64_t packed, sums, results, total;
} job;

static job job_of(const rk_int8_convolution *p) {
  job job = {.p = p, .layout = layout_of(p)};
  int64_t most = rk_smaller(output_bytes / (p->channels + p->out_channels), most_pixels);
  job.windows = rk_int8_windows_of(p, most < least_pixels ? least_pixels : most, RK_LANES, tile, block_bytes);
  job.packed = job.layout.quads * RK_QUAD_BYTES;
  job.sums = per_panel * tile * (int64_t)sizeof(int32_t);
  job.results = per_panel * tile;
  job.total = job.windows.scratch + job.packed + job.sums + job.results;
  return job;
}

// Packs the pixels of a tile, 8 at a time, from where their windows are: [quad][pixel][place].
RK_AVX2 static void pack_tile(const job *job, int64_t group, const uint8_t *const *rows, int64_t count,
                              uint8_t *packed) {
  const rk_int8_convolution *p = job->p;
  int64_t per_row = job->layout.runs / p->kernel_height, quads = rk_quotient(job->layout.places, RK_PLACES);
  for (int64_t first = 0; first < count; first += RK_LANES, packed += RK_LANES * RK_PLACES) {
    const uint8_t *row[RK_LANES];
    for (int64_t i = 0; i < RK_LANES; i++) row[i] = rows[rk_smaller(first + i, count - 1)] + group * job->layout.inputs;
    uint8_t *y = packed;
    for (int64_t run = 0; run < job->layout.runs; run++) {
      int64_t start = run / per_row * job->windows.down + run % per_row * job->windows.right;
      for (int64_t left = quads; left > 0; left -= 4, start += 4 * RK_PLACES) {
        if (left < 4 && job->windows.is_direct) {
          for (int64_t k = 0; k < left; k++, start += RK_PLACES, y += RK_QUAD_BYTES) {
            for (int i = 0; i < RK_LANES; i++) memcpy(y + i * RK_PLACES, row[i] + start, RK_PLACES);
          }
          break;
        }
        rk_int8_turn_rows(row, start, y, left);
        y += rk_smaller(left, 4) * RK_QUAD_BYTES;
      }
    }
  }
}

// Adds the products of `count` bundles of `size` entries.
RK_AVX2 RK_INLINE void add_bundles(const uint8_t *x, channel_lists *entries, int64_t count, __m256i *sum,
                                   const int vectors, const int size) {
  const __m256i one = _mm256_set1_epi16(1);
  const uint16_t *quads = entries->quads;
  const int32_t *weights = entries->weights;
  for (; count > 0; count--, quads += size, weights += size) {
    const __m256i *places[per_bundle];
    __m256i w[per_bundle];
#pragma clang loop unroll(full)
    for (int k = 0; k < size; k++) {
      places[k] = (const __m256i *)(x + quads[k]);
      w[k] = _mm256_set1_epi32(weights[k]);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < vectors; i++) {
      __m256i products = _mm256_maddubs_epi16(_mm256_load_si256(places[0] + i), w[0]);
#pragma clang loop unroll(full)
      for (int k = 1; k < size; k++) {
        products = _mm256_add_epi16(products, _mm256_maddubs_epi16(_mm256_load_si256(places[k] + i), w[k]));
      }
      sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(products, one));
    }
  }
  entries->quads = quads;
  entries->weights = weights;
}

static void write_reals(const rk_int8_convolution *p, int64_t channel, const int32_t *sums, int64_t pixel,
                        int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    p->y_real[(pixel + i) * p->out_channels + channel] = p->scales[channel] * (float)sums[i];
  }
}

// A panel of output channels for the `count` pixels of a packed tile, in one block.
typedef struct {
  const rk_int8_convolution *p;
  int64_t channel, channels, pixel, count;
  const uint8_t *x;
  channel_lists entries;
  int is_first, is_last;  // of the blocks
  __m256i *sums;          // between blocks: [channel][pixel]
  uint8_t *results;       // of the last: [channel][pixel]
} step;

RK_AVX2 RK_INLINE void run_vectors(const step *step, const int vectors) {
  channel_lists entries = step->entries;
  for (int64_t left = step->channels; left > 0; left--, entries.lists++) {
    int64_t o = entries.lists->channel, channel = step->channel + o;
    const uint8_t *bundles = entries.lists->bundles;
    __m256i sum[most_vectors], *sums = step->sums + o * most_vectors;
    if (step->is_first) {
      __m256i bias = _mm256_set1_epi32(step->p->bias[channel]);
#pragma clang loop unroll(full)
      for (int i = 0; i < vectors; i++) sum[i] = bias;
    } else {
#pragma clang loop unroll(full)
      for (int i = 0; i < vectors; i++) sum[i] = _mm256_load_si256(sums + i);
    }
    add_bundles(step->x, &entries, bundles[3], sum, vectors, 4);
    add_bundles(step->x, &entries, bundles[2], sum, vectors, 3);
    add_bundles(step->x, &entries, bundles[1], sum, vectors, 2);
    add_bundles(step->x, &entries, bundles[0], sum, vectors, 1);
    if (step->is_last && step->p->y) {
      rk_int8_round_sums(step->p, channel, sum, step->results + o * tile, vectors);
      continue;
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < vectors; i++) _mm256_store_si256(sums + i, sum[i]);
    if (step->is_last) write_reals(step->p, channel, (const int32_t *)sums, step->pixel, step->count);
  }
}

RK_AVX2 static void run_step(const step *step) {
  switch (rk_quotient(step->count, RK_LANES)) {
  case 1: run_vectors(step, 1); break;
  case 2: run_vectors(step, 2); break;
  case 3: run_vectors(step, 3); break;
  case 4: run_vectors(step, 4); break;
  case 5: run_vectors(step, 5); break;
  case 6: run_vectors(step, 6); break;
  case 7: run_vectors(step, 7); break;
  case 8: run_vectors(step, 8); break;
  }
}

// All channels from panel `first` to `last` of a group, for the `count` pixels of a packed tile.
RK_AVX2 static void run_tile(const job *job, int64_t group, int64_t first, int64_t last, int64_t pixel, int64_t count,
                             const uint8_t *packed, __m256i *sums, uint8_t *results) {
  const rk_int8_convolution *p = job->p;
  int64_t start = group * job->layout.outputs, blocks = job->layout.blocks;
  int64_t end = start + rk_smaller(last * per_panel, job->layout.outputs);
  int64_t offsets[tile];
  for (int64_t i = 0; i < tile; i++) offsets[i] = i < count ? (pixel + i) * p->out_channels : -1;
  step step = {.p = p, .pixel = pixel, .count = count, .sums = sums, .results = results};
  for (step.channel = start + first * per_panel; step.channel < end; step.channel += step.channels) {
    step.channels = rk_smaller(per_panel, end - step.channel);
    for (int64_t i = 0; p->residual && i < count; i++) {
      __builtin_prefetch(p->y + offsets[i] + step.channel, 1);
      __builtin_prefetch(p->residual + offsets[i] + step.channel);
    }
    for (int64_t block = 0; block < blocks; block++) {
      step.is_first = block == 0, step.is_last = block + 1 == blocks;
      step.x = packed + block * job->layout.per_block * RK_QUAD_BYTES;
      step.entries = lists_of(p, &job->layout, block, step.channel);
      run_step(&step);
    }
    for (int64_t o = 0; p->y && o < step.channels; o += transposed) {
      int64_t channels = rk_smaller(transposed, step.channels - o);
      rk_int8_write_turned(p, results + o * tile, tile, step.channel + o, channels, offsets, count);
    }
  }
}

// Of `left` pixels the next ones, in whole vectors where there are more.
static int64_t share_of(int64_t left, int64_t most) {
  return rk_smaller(rk_quotient(rk_next(left, most), RK_LANES) * RK_LANES, left);
}

RK_AVX2 static void convolve(void *context) {
  const job *job = context;
  int64_t thread = omp_get_thread_num(), threads = omp_get_num_threads();
  const rk_int8_windows *all = &job->windows;
  uint8_t *copy = (uint8_t *)rk_aligned((intptr_t)job->p->scratch) + thread * job->total;
  const uint8_t **rows = (void *)(copy + all->copy);
  uint8_t *packed = copy + all->scratch;
  __m256i *sums = (void *)(packed + job->packed);
  uint8_t *results = packed + job->packed + job->sums;

  int64_t panels = job->layout.panels * job->p->groups, vectors = rk_quotient(all->images * all->pixels, RK_LANES);
  double quads = (double)job->layout.quads;
  rk_int8_shares shares =
      rk_int8_shares_of(vectors, panels, per_panel * quads * 0.8, (double)job->p->groups * quads * 2,
                        (double)panels * per_panel * quads * (RK_PLACES + sizeof(uint16_t)), threads);
  int64_t first = panels * shares.channel / shares.channels, last = panels * (shares.channel + 1) / shares.channels;
  int64_t pixel = vectors * shares.pixel / shares.pixels * RK_LANES;
  int64_t end = rk_smaller(vectors * (shares.pixel + 1) / shares.pixels * RK_LANES, all->images * all->pixels);
  while (pixel < end) {
    int64_t image = pixel / all->pixels, from = pixel % all->pixels;
    int64_t count = share_of(rk_smaller(all->pixels - from, end - pixel), all->block);
    rk_int8_open_windows(all, image, from, from + count, copy, rows);
    for (int64_t done = 0; done < count;) {
      int64_t own = share_of(count - done, tile);
      for (int64_t panel = first; panel < last;) {
        int64_t group = panel / job->layout.panels, start = group * job->layout.panels;
        int64_t stop = rk_smaller(last, start + job->layout.panels);
        pack_tile(job, group, rows + done, own, packed);
        run_tile(job, group, panel - start, stop - start, pixel + done, own, packed, sums, results);
        panel = stop;
      }
      done += own;
    }
    pixel += count;
  }
}

static int64_t scratch(const rk_int8_convolution *p) { return job_of(p).total; }

static void run(const rk_int8_convolution *p) {
  job job = job_of(p);
  rk_parallel(convolve, &job);
}

const rk_int8_kernel rk_int8_bundles = {
    "own int8 avx2", RK_HAS_AVX2, rk_int8_any, rk_int8_bundles_bytes, rk_int8_bundles_pack, scratch, run};

#endif

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
#include "Int8Windows.h"

#ifdef RK_X86

enum {
  per_bundle = 4,                  // entries at most
  per_panel = 64,                  // output channels
  most_quads = 96,                 // of a block
  most_vectors = 8,                // of a tile
  tile = RK_LANES * most_vectors,  // pixels; a quad of theirs is RK_QUAD_BYTES
  transposed = 16,                     // output channels that are transposed at a time
  block_bytes = 128 << 10,         // of the image: at most so many
  output_bytes = 64 << 10,         // of x and y: about so many, within these bounds
  least_pixels = 64, most_pixels = 512
};

typedef struct {
  int64_t inputs, outputs;  // channels of a group
  int64_t panels;           // of a group
  int64_t runs, places;     // how many runs, of how many places
  int64_t quads;            // of all runs
  int64_t blocks, per_block;
} layout;

// One channel in one block: which of its panel it is, and how many bundles of n there are, bundles[n - 1].
typedef struct { uint8_t channel, bundles[per_bundle]; } channel_list;

// The lists of a block from place `index` of the output channels on, and their entries.
typedef struct { const channel_list *lists; const uint16_t *quads; const int32_t *weights; } channel_lists;

static layout layout_of(const rk_int8_convolution *p) {
  layout layout = {.inputs = p->channels / p->groups, .outputs = p->out_channels / p->groups};
  int is_contiguous = p->groups == 1 && (p->dilation_width == 1 || p->kernel_width == 1);
  layout.runs = p->kernel_height * (int64_t)(is_contiguous ? 1 : p->kernel_width);
  layout.places = layout.inputs * (is_contiguous ? p->kernel_width : 1);
  layout.panels = rk_quotient(layout.outputs, per_panel);
  layout.quads = layout.runs * rk_quotient(layout.places, RK_PLACES);
  layout.blocks = rk_quotient(layout.quads, most_quads);
  layout.per_block = rk_quotient(layout.quads, layout.blocks);
  return layout;
}

// Where the parts of packed weights begin: for each channel of each block the number of its first entry, and for how
// many entries there is room; its list; the quad of each entry; weights.
static int64_t lists_at(const rk_int8_convolution *p, const layout *layout) {
  return rk_aligned((p->out_channels * layout->blocks + 1) * (int64_t)sizeof(int32_t));
}

static int64_t quads_at(const rk_int8_convolution *p, const layout *layout) {
  return lists_at(p, layout) + rk_aligned(p->out_channels * layout->blocks * (int64_t)sizeof(channel_list));
}

static int64_t weights_at(const rk_int8_convolution *p, const layout *layout, int64_t entries) {
  return quads_at(p, layout) + rk_aligned(entries * (int64_t)sizeof(uint16_t));
}

static channel_lists lists_of(const rk_int8_convolution *p, const layout *layout, int64_t block,
                                   int64_t index) {
  const char *packed = p->weights;
  const int32_t *starts = p->weights;
  int64_t all = p->out_channels * layout->blocks, first = starts[block * p->out_channels + index];
  return (channel_lists){
      (const channel_list *)(packed + lists_at(p, layout)) + block * p->out_channels + index,
      (const uint16_t *)(packed + quads_at(p, layout)) + first,
      (const int32_t *)(packed + weights_at(p, layout, starts[all])) + first};
}


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

RK_AVX2 void rk_int8_write_turned(const rk_int8_convolution *p, const uint8_t *results, int64_t stride, int64_t channel,
                                  int64_t channels, const int64_t *offsets, int64_t count) {
  rk_int8_addition with = rk_int8_addition_of(p);
  uint8_t *y = p->y + channel, nowhere[transposed];
  const uint8_t *residual = p->residual ? p->residual + channel : 0;
  for (int64_t first = 0; first < count; first += 2 * transposed, offsets += 2 * transposed) {
    // Rows and bytes change places when both, as one number, are transposed by 4 bits. There are two pixels in a row then,
    // the second 16 after the first.
    __m256i rows[transposed], next[transposed];
#pragma clang loop unroll(full)
    for (int i = 0; i < transposed; i++) rows[i] = _mm256_load_si256((const void *)(results + i * stride + first));
#pragma clang loop unroll(full)
    for (int stage = 0; stage < 4; stage++) {
#pragma clang loop unroll(full)
      for (int i = 0; i < transposed / 2; i++) {
        next[2 * i] = _mm256_unpacklo_epi8(rows[i], rows[i + 8]);
        next[2 * i + 1] = _mm256_unpackhi_epi8(rows[i], rows[i + 8]);
      }
#pragma clang loop unroll(full)
      for (int i = 0; i < transposed; i++) rows[i] = next[i];
    }
    if (channels == transposed && count - first >= 2 * transposed) {
#pragma clang loop unroll(full)
      for (int i = 0; i < transposed; i++) {
        int64_t a = offsets[i], b = offsets[i + transposed];
        if (residual) {
          const uint8_t *r_a = a < 0 ? nowhere : residual + a, *r_b = b < 0 ? nowhere : residual + b;
          __m256i r = _mm256_castsi128_si256(_mm_loadu_si128((const void *)r_a));
          r = _mm256_inserti128_si256(r, _mm_loadu_si128((const void *)r_b), 1);
          rows[i] = rk_int8_add_residual(rows[i], r, &with);
        }
        _mm_storeu_si128((void *)(a < 0 ? nowhere : y + a), _mm256_castsi256_si128(rows[i]));
        _mm_storeu_si128((void *)(b < 0 ? nowhere : y + b), _mm256_extracti128_si256(rows[i], 1));
      }
      continue;
    }
    uint8_t own[2 * transposed][transposed], other[2 * transposed][transposed] = {0};
    int64_t left = rk_smaller(2 * transposed, count - first);
    for (int64_t i = 0; residual && i < left; i++) {
      if (offsets[i] >= 0) memcpy(other[i], residual + offsets[i], channels);
    }
    for (int i = 0; i < transposed; i++) {
      __m256i r = _mm256_castsi128_si256(_mm_loadu_si128((const void *)other[i]));
      r = _mm256_inserti128_si256(r, _mm_loadu_si128((const void *)other[i + transposed]), 1);
      if (residual) rows[i] = rk_int8_add_residual(rows[i], r, &with);
      _mm_storeu_si128((void *)own[i], _mm256_castsi256_si128(rows[i]));
      _mm_storeu_si128((void *)own[i + transposed], _mm256_extracti128_si256(rows[i], 1));
    }
    for (int64_t i = 0; i < left; i++) {
      if (offsets[i] >= 0) memcpy(y + offsets[i], own[i], channels);
    }
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

// An entry that is to be bundled. A lane has two pairs of weights; `fill` is what they take of it, 16 bits each: the
// positive ones of the first pair, the negative ones, the same of the second.
typedef struct { int8_t w[RK_PLACES]; int64_t quad; uint64_t fill; } entry;

enum { most_growth = 4 * (per_bundle - 1), most_entries = 2 * most_quads + most_growth, most_fill = 128 };

static int is_full(uint64_t fill) {
  return (fill + (0x8000 - most_fill - 1) * 0x0001000100010001u & 0x8000800080008000u) != 0;
}

static uint64_t fill_of(const int8_t *w) {
  uint64_t fill = 0;
  for (int j = 0; j < RK_PLACES; j++) {
    fill += (uint64_t)(w[j] < 0 ? -w[j] : w[j]) << (j / 2 * 32 + (w[j] < 0 ? 16 : 0));
  }
  return fill;
}

static int64_t largest(uint64_t fill) {
  int64_t result = 0;
  for (; fill; fill >>= 16) result = result > (int64_t)(fill & 0xffff) ? result : (int64_t)(fill & 0xffff);
  return result;
}

// The weights of a quad of one channel, and what has been split off them if a pair is too large.
// Returns how many entries these are.
static int64_t read_quad(const rk_int8_convolution *p, const layout *layout, const int8_t *weights,
                         int64_t channel, int64_t quad, int8_t w[2][RK_PLACES]) {
  int64_t per_run = rk_quotient(layout->places, RK_PLACES), run = quad / per_run;
  int64_t per_row = layout->runs / p->kernel_height, area = (int64_t)p->kernel_height * p->kernel_width;
  const int8_t *filter = weights + channel * layout->inputs * area;
  memset(w, 0, 2 * RK_PLACES);
  for (int64_t j = 0; j < RK_PLACES; j++) {
    int64_t place = quad % per_run * RK_PLACES + j;
    if (place >= layout->places) break;
    int64_t x = per_row == 1 ? place / layout->inputs : run % per_row, y = run / per_row;
    w[0][j] = filter[place % layout->inputs * area + y * p->kernel_width + x];
  }
  if (!is_full(fill_of(w[0]))) return 1;
  for (int64_t j = 0; j < RK_PLACES; j += 2) {
    // Too much in one direction: then both weights have it.
    int sum = w[0][j] + w[0][j + 1], sign = sum < 0 ? -1 : 1, excess = sign * sum - most_fill;
    if (w[0][j] < 0 != w[0][j + 1] < 0 || excess <= 0) continue;
    int first = rk_smaller(excess, sign * w[0][j]);
    w[1][j] = (int8_t)(sign * first), w[1][j + 1] = (int8_t)(sign * (excess - first));
    for (int i = 0; i < 2; i++) w[0][j + i] = (int8_t)(w[0][j + i] - w[1][j + i]);
  }
  return 2;
}

// The entries of one channel in one block, the fullest first. Returns how many.
static int64_t list_entries(const rk_int8_convolution *p, const layout *layout, const int8_t *weights,
                            int64_t channel, int64_t block, entry *entries) {
  entry unsorted[most_entries];
  int64_t count = 0, starts[most_fill + 2] = {0};
  int64_t first = block * layout->per_block, end = rk_smaller(first + layout->per_block, layout->quads);
  for (int64_t quad = first; quad < end; quad++) {
    int8_t w[2][RK_PLACES];
    int64_t own = read_quad(p, layout, weights, channel, quad, w);
    for (int64_t i = 0; i < own; i++) {
      entry *entry = unsorted + count++;
      memcpy(entry->w, w[i], RK_PLACES);
      entry->quad = quad - first, entry->fill = fill_of(w[i]);
      starts[most_fill + 1 - largest(entry->fill)]++;
    }
  }
  for (int64_t i = 1; i < most_fill + 2; i++) starts[i] += starts[i - 1];
  for (int64_t i = count - 1; i >= 0; i--) entries[--starts[most_fill + 1 - largest(unsorted[i].fill)]] = unsorted[i];
  return count;
}

// Bundles entries, each with the first that it fits to, and brings them into the order of bundles, larger ones first.
// A few small bundles are filled up with zeros: their products take less time than the end of another loop.
// Returns how many entries that makes.
static int64_t bundle(entry *entries, int64_t count, uint8_t bundles[per_bundle]) {
  struct { uint64_t fill; int64_t size; entry *members[per_bundle]; } made[most_entries];
  int64_t open[most_entries], opened = 0, all = 0, sizes[per_bundle + 1] = {0}, grown[per_bundle + 1];
  for (int64_t i = 0; i < count; i++) {
    int64_t k = 0;
    while (k < opened && is_full(made[open[k]].fill + entries[i].fill)) k++;
    if (k == opened) {
      made[all].fill = 0, made[all].size = 0;
      open[opened++] = all++;
    }
    int64_t own = open[k];
    made[own].fill += entries[i].fill;
    made[own].members[made[own].size++] = entries + i;
    if (made[own].size == per_bundle) memmove(open + k, open + k + 1, (--opened - k) * sizeof *open);
  }
  for (int64_t i = 0; i < all; i++) sizes[made[i].size]++;
  for (int64_t size = 1; size <= per_bundle; size++) {
    int64_t next = size + 1;
    while (next < per_bundle && sizes[next] == 0) next++;
    int is_grown = size < per_bundle && sizes[size] * (next - size) <= most_growth / (per_bundle - 1);
    grown[size] = is_grown ? next : size;
    if (is_grown) sizes[next] += sizes[size], sizes[size] = 0;
  }
  entry sorted[most_entries];
  int64_t done = 0;
  for (int64_t size = per_bundle; size > 0; size--) {
    bundles[size - 1] = (uint8_t)sizes[size];
    for (int64_t i = 0; i < all; i++) {
      int64_t own = made[i].size;
      while (grown[own] != own) own = grown[own];
      if (own != size) continue;
      for (int64_t k = 0; k < size; k++) {
        sorted[done] = (entry){.quad = made[i].members[0]->quad};
        if (k < made[i].size) sorted[done] = *made[i].members[k];
        done++;
      }
    }
  }
  memcpy(entries, sorted, done * sizeof *entries);
  return done;
}


// For how many entries there is room.
static int64_t room(const rk_int8_convolution *p, const layout *layout, const int8_t *weights) {
  int64_t result = p->out_channels * layout->blocks * most_growth;
  int8_t w[2][RK_PLACES];
  for (int64_t o = 0; o < p->out_channels; o++) {
    for (int64_t quad = 0; quad < layout->quads; quad++) result += read_quad(p, layout, weights, o, quad, w);
  }
  return result;
}

// Where packed weights go on.
typedef struct {
  int32_t *starts;
  channel_list *lists;
  uint16_t *quads;
  int8_t (*weights)[RK_PLACES];
  int64_t done;  // entries
} packing;

// Packs a panel of `channels` output channels in one block.
static void pack_panel(const rk_int8_convolution *p, const layout *layout, const int8_t *weights, int64_t block,
                       int64_t channel, int64_t channels, packing *at) {
  channel_list lists[per_panel];
  uint16_t quads[per_panel][most_entries];
  int8_t w[per_panel][most_entries][RK_PLACES];
  int64_t counts[per_panel], order[per_panel];
  for (int64_t o = 0; o < channels; o++) {
    entry entries[most_entries];
    counts[o] = list_entries(p, layout, weights, channel + o, block, entries);
    lists[o].channel = (uint8_t)o;
    counts[o] = bundle(entries, counts[o], lists[o].bundles);
    for (int64_t i = 0; i < counts[o]; i++) {
      quads[o][i] = (uint16_t)(entries[i].quad * RK_QUAD_BYTES);
      memcpy(w[o][i], entries[i].w, RK_PLACES);
    }
    int64_t k = o;
    for (; k > 0 && memcmp(lists[order[k - 1]].bundles, lists[o].bundles, per_bundle) > 0; k--) order[k] = order[k - 1];
    order[k] = o;
  }
  for (int64_t k = 0; k < channels; k++) {
    int64_t o = order[k];
    *at->starts++ = (int32_t)at->done;
    *at->lists++ = lists[o];
    memcpy(at->quads + at->done, quads[o], counts[o] * sizeof *quads[o]);
    memcpy(at->weights + at->done, w[o], counts[o] * sizeof *w[o]);
    at->done += counts[o];
  }
}

static int64_t packed_bytes(const rk_int8_convolution *p, const int8_t *weights) {
  layout layout = layout_of(p);
  int64_t entries = room(p, &layout, weights);
  return weights_at(p, &layout, entries) + entries * RK_PLACES;
}

static void pack(const rk_int8_convolution *p, const int8_t *weights, void *packed) {
  layout layout = layout_of(p);
  int64_t entries = room(p, &layout, weights), all = p->out_channels * layout.blocks;
  char *start = packed;
  packing at = {packed, (void *)(start + lists_at(p, &layout)), (void *)(start + quads_at(p, &layout)),
                (void *)(start + weights_at(p, &layout, entries)), 0};
  at.starts[all] = (int32_t)entries;
  for (int64_t block = 0; block < layout.blocks; block++) {
    for (int64_t panel = 0; panel < p->groups * layout.panels; panel++) {
      int64_t first = panel % layout.panels * per_panel, channel = panel / layout.panels * layout.outputs + first;
      pack_panel(p, &layout, weights, block, channel, rk_smaller(per_panel, layout.outputs - first), &at);
    }
  }
}

static int64_t scratch(const rk_int8_convolution *p) { return job_of(p).total; }

static void run(const rk_int8_convolution *p) {
  job job = job_of(p);
  GOMP_parallel(convolve, &job, 0, 0);
}

const rk_int8_kernel rk_int8_bundles = {"own int8 avx2", RK_HAS_AVX2, rk_int8_any, packed_bytes, pack, scratch, run};

#endif

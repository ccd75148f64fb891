// Bundles weights and packs them for Int8Bundles.c, which says why.
#include "Int8Bundles.h"

#ifdef RK_X86

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

int64_t rk_int8_bundles_bytes(const rk_int8_convolution *p, const int8_t *weights) {
  layout layout = layout_of(p);
  int64_t entries = room(p, &layout, weights);
  return weights_at(p, &layout, entries) + entries * RK_PLACES;
}

void rk_int8_bundles_pack(const rk_int8_convolution *p, const int8_t *weights, void *packed) {
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

#endif

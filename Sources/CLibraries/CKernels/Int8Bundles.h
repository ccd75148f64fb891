// How the weights of bundles lie when they are packed: written by Int8BundlePacking.c, read by Int8Bundles.c.
#pragma once
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

static inline layout layout_of(const rk_int8_convolution *p) {
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
static inline int64_t lists_at(const rk_int8_convolution *p, const layout *layout) {
  return rk_aligned((p->out_channels * layout->blocks + 1) * (int64_t)sizeof(int32_t));
}

static inline int64_t quads_at(const rk_int8_convolution *p, const layout *layout) {
  return lists_at(p, layout) + rk_aligned(p->out_channels * layout->blocks * (int64_t)sizeof(channel_list));
}

static inline int64_t weights_at(const rk_int8_convolution *p, const layout *layout, int64_t entries) {
  return quads_at(p, layout) + rk_aligned(entries * (int64_t)sizeof(uint16_t));
}

static inline channel_lists lists_of(const rk_int8_convolution *p, const layout *layout, int64_t block,
                                   int64_t index) {
  const char *packed = p->weights;
  const int32_t *starts = p->weights;
  int64_t all = p->out_channels * layout->blocks, first = starts[block * p->out_channels + index];
  return (channel_lists){
      (const channel_list *)(packed + lists_at(p, layout)) + block * p->out_channels + index,
      (const uint16_t *)(packed + quads_at(p, layout)) + first,
      (const int32_t *)(packed + weights_at(p, layout, starts[all])) + first};
}

int64_t rk_int8_bundles_bytes(const rk_int8_convolution *p, const int8_t *weights);
void rk_int8_bundles_pack(const rk_int8_convolution *p, const int8_t *weights, void *packed);

#endif

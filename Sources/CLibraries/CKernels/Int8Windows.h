// What a block of output pixels sees of its image, at fixed distances from one address for each pixel.
//
// Where a pixel sees one pixel, whose bytes can be read four at a time, that is the image itself. Else the rows that
// the block needs are copied once with their margin. The bytes of a window come in runs: the rows of the window where
// those are contiguous, else its pixels.
#pragma once
#include "Int8.h"

typedef struct {
  const rk_int8_convolution *p;
  int is_pointwise;        // each pixel sees one pixel
  int is_direct;           // and can be read where it is
  int64_t inputs;          // channels of a group
  int64_t rows, columns;   // runs of a window: as many for each of its rows
  int64_t places;          // bytes of a run
  int64_t down, right;     // bytes from one run to the next below, and beside
  int64_t images, pixels;  // of an image
  int64_t block;           // pixels at most
  int64_t row, width;      // of the copy: bytes and pixels of a row
  int64_t copy;            // bytes of scratch: the copy, then the address of each pixel's window
  int64_t scratch;
} rk_int8_windows;

// Blocks are of at most `most` pixels, in multiples of `tile`, small ones of `grain`; the copied rows take about
// `bytes` bytes or less.
static inline rk_int8_windows rk_int8_windows_of(const rk_int8_convolution *p, int64_t most, int64_t grain,
                                                 int64_t tile, int64_t bytes) {
  rk_int8_windows all = {.p = p, .inputs = p->channels / p->groups};
  int64_t reach = (int64_t)(p->kernel_height - 1) * p->dilation_height + 1;
  int is_contiguous = p->groups == 1 && (p->dilation_width == 1 || p->kernel_width == 1);
  all.is_pointwise = p->kernel_height == 1 && p->kernel_width == 1 && p->pad_top == 0 && p->pad_left == 0 &&
                     (p->out_height - 1) * p->stride_height < p->height &&
                     (p->out_width - 1) * p->stride_width < p->width;
  all.is_direct = all.is_pointwise && all.inputs % RK_PLACES == 0;
  all.rows = p->kernel_height, all.columns = is_contiguous ? 1 : p->kernel_width;
  all.places = all.inputs * (is_contiguous ? p->kernel_width : 1);
  all.images = all.is_pointwise ? 1 : p->batch;
  all.pixels = p->out_height * p->out_width * (all.is_pointwise ? p->batch : 1);
  all.width = (p->out_width - 1) * p->stride_width + (int64_t)(p->kernel_width - 1) * p->dilation_width + 1;
  all.row = all.width * p->channels;
  all.down = p->dilation_height * all.row, all.right = p->dilation_width * p->channels;
  all.block = rk_smaller(most, rk_quotient(all.pixels, grain) * grain);
  if (!all.is_pointwise) {
    int64_t rows = (bytes / all.row - reach) / p->stride_height + 1;
    all.block = rk_smaller(all.block, (rows < 1 ? 1 : rows) * p->out_width);
  }
  all.block = all.block < grain ? grain : all.block - all.block % (all.block < tile ? grain : tile);
  if (all.is_pointwise) {
    all.copy = all.is_direct ? 0 : all.block * p->channels;
  } else {
    // A block may begin and end within a row.
    int64_t rows = rk_smaller(p->out_height, (all.block - 2 + p->out_width) / p->out_width + 1);
    all.copy = ((rows - 1) * p->stride_height + reach) * all.row;
  }
  all.copy = rk_aligned(all.copy + 4 * RK_PLACES);  // four quads are read, be they there or not
  all.scratch = all.copy + rk_aligned(all.block * (int64_t)sizeof(uint8_t *));
  return all;
}

// Copies what the pixels from `from` to `to` of an image see, and writes the address of each one's window.
static inline void rk_int8_open_windows(const rk_int8_windows *all, int64_t image, int64_t from, int64_t to,
                                        uint8_t *copy, const uint8_t **windows) {
  const rk_int8_convolution *p = all->p;
  int64_t channels = p->channels;
  int64_t column = from % p->out_width, row = from / p->out_width;
  if (all->is_pointwise) {
    for (int64_t i = 0; i < to - from; row++, column = 0) {
      int64_t top = row / p->out_height * p->height + row % p->out_height * p->stride_height;
      for (; column < p->out_width && i < to - from; column++, i++) {
        const uint8_t *x = p->x + (top * p->width + column * p->stride_width) * channels;
        windows[i] = all->is_direct ? x : memcpy(copy + i * channels, x, channels);
      }
    }
    return;
  }
  int64_t first = from / p->out_width, last = (to - 1) / p->out_width;
  int64_t top = first * p->stride_height - p->pad_top;
  int64_t count = (last - first) * p->stride_height + (int64_t)(p->kernel_height - 1) * p->dilation_height + 1;
  int64_t left = rk_smaller(p->pad_left, all->width);
  int64_t inside = rk_smaller(p->width, all->width - left);
  for (int64_t i = 0; i < count; i++) {
    uint8_t *target = copy + i * all->row;
    if (top + i < 0 || top + i >= p->height) {
      memset(target, p->zero, all->row);
      continue;
    }
    memset(target, p->zero, left * channels);
    memcpy(target + left * channels, p->x + (image * p->height + top + i) * p->width * channels, inside * channels);
    memset(target + (left + inside) * channels, p->zero, (all->width - left - inside) * channels);
  }
  for (int64_t i = 0; i < to - from; row++, column = 0) {
    const uint8_t *start = copy + (row - first) * p->stride_height * all->row;
    for (; column < p->out_width && i < to - from; column++) windows[i++] = start + column * p->stride_width * channels;
  }
}

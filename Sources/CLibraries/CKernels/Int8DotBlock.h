// Convolutions of 8-bit integers by dot products of four, for one kind of vectors: see Int8Dot.c, which includes this
// for each kind that there is, with what Int8RoundBlock.h wants and
//
//   DOT      adds to each lane the products of four unsigned bytes with four signed ones

#include "Int8RoundBlock.h"

// A panel of output channels.
typedef struct {
  const rk_int8_windows *windows;
  const int8_t *weights;
  int64_t most;  // pixels at a time
  OWN(panel) panel;
} OWN(step);

// The channels of a panel for some pixels.
TARGET RK_INLINE void OWN(run)(const OWN(step) *step, const uint8_t *const *windows, int64_t pixel, const int pixels,
                               const int vectors) {
  const rk_int8_windows *all = step->windows;
  INTEGERS sum[most_pixels][VECTORS];
#pragma clang loop unroll(full)
  for (int i = 0; i < pixels; i++) {
#pragma clang loop unroll(full)
    for (int j = 0; j < vectors; j++) sum[i][j] = step->panel.bias[j];
  }
  const int8_t *weights = step->weights;
  int64_t quads = rk_quotient(all->places, RK_PLACES);
  for (int64_t y = 0; y < all->rows; y++) {
    for (int64_t x = 0; x < all->columns; x++) {
      int64_t start = y * all->down + x * all->right;
      const uint8_t *run[most_pixels];
#pragma clang loop unroll(full)
      for (int i = 0; i < pixels; i++) run[i] = windows[i] + start;
      for (int64_t k = 0; k < quads; k++, weights += vectors * LANES * RK_PLACES) {
        INTEGERS w[VECTORS];
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) w[j] = BITS(load)((const void *)(weights + j * LANES * RK_PLACES));
#pragma clang loop unroll(full)
        for (int i = 0; i < pixels; i++) {
          int32_t four;
          memcpy(&four, run[i] + k * RK_PLACES, RK_PLACES);
          INTEGERS bytes = V(set1_epi32)(four);
#pragma clang loop unroll(full)
          for (int j = 0; j < vectors; j++) sum[i][j] = DOT(sum[i][j], bytes, w[j]);
        }
      }
    }
  }
  OWN(finish)(all->p, &step->panel, sum, pixel, pixels, vectors);
}

TARGET RK_INLINE void OWN(run_pixels)(const OWN(step) *step, const uint8_t *const *windows, int64_t pixel,
                                      int64_t count, const int vectors) {
  int64_t shares = rk_quotient(count, step->most), each = count / shares, larger = count % shares;
  for (int64_t done = 0; done < count;) {
    int64_t own = each + (larger-- > 0);
    switch (own) {
    case 1: OWN(run)(step, windows + done, pixel + done, 1, vectors); break;
    case 2: OWN(run)(step, windows + done, pixel + done, 2, vectors); break;
    case 3: OWN(run)(step, windows + done, pixel + done, 3, vectors); break;
    case 4: OWN(run)(step, windows + done, pixel + done, 4, vectors); break;
    }
    done += own;
  }
}

TARGET static void OWN(work)(void *context) {
  const rk_int8_windows *all = context;
  const rk_int8_convolution *p = all->p;
  uint8_t *copy = (uint8_t *)rk_aligned((intptr_t)p->scratch) + omp_get_thread_num() * all->scratch;
  const uint8_t **windows = (void *)(copy + all->copy), *group_windows[512];
  int64_t outputs = p->out_channels / p->groups, quads = all->rows * all->columns * rk_quotient(all->places, RK_PLACES);
  int64_t per_group = rk_quotient(outputs, VECTORS * LANES), panels = per_group * p->groups;
  int64_t pixels = all->images * all->pixels;
  rk_int8_shares shares =
      rk_int8_shares_of(rk_quotient(pixels, most_pixels), panels, most_pixels * VECTORS * (double)quads, 0,
                        (double)panels * VECTORS * LANES * RK_PLACES * (double)quads, omp_get_num_threads());
  int64_t first = panels * shares.channel / shares.channels, last = panels * (shares.channel + 1) / shares.channels;
  int64_t pixel = pixels * shares.pixel / shares.pixels, end = pixels * (shares.pixel + 1) / shares.pixels;
  while (pixel < end) {
    int64_t image = pixel / all->pixels, from = pixel % all->pixels;
    int64_t count = rk_next(rk_smaller(all->pixels - from, end - pixel), all->block);
    rk_int8_open_windows(all, image, from, from + count, copy, windows);
    for (int64_t i = first; i < last; i++) {
      int64_t group = i / per_group, start = i % per_group * VECTORS * LANES;
      int64_t channels = rk_smaller(VECTORS * LANES, outputs - start), vectors = vectors_of(channels, LANES);
      OWN(step) step = {
          .windows = all, .most = quads <= 64 ? 3 : most_pixels,
          .weights = (const int8_t *)p->weights + group * bytes_of(quads, outputs, LANES) +
                     bytes_of(quads, start, LANES),
          .panel = OWN(panel_of)(p, group * outputs + start, channels, (int)vectors)};
      const uint8_t *const *own = windows;
      if (group > 0) {
        for (int64_t k = 0; k < count; k++) group_windows[k] = windows[k] + group * all->inputs;
        own = group_windows;
      }
#if LANES == 16
      switch (vectors) {
      case 1: OWN(run_pixels)(&step, own, pixel, count, 1); break;
      case 2: OWN(run_pixels)(&step, own, pixel, count, 2); break;
      case 3: OWN(run_pixels)(&step, own, pixel, count, 3); break;
      case 4: OWN(run_pixels)(&step, own, pixel, count, 4); break;
      }
#else
      OWN(run_pixels)(&step, own, pixel, count, VECTORS);
#endif
    }
    pixel += count;
  }
}

static void OWN(convolve)(const rk_int8_convolution *p) {
  rk_int8_windows all = windows_of(p);
  rk_parallel(OWN(work), &all);
}

#undef SUFFIX
#undef TARGET
#undef LANES
#undef VECTORS
#undef DOT
#undef JOIN
#undef WITH
#undef OWN
#undef INTEGERS
#undef FLOATS
#undef V
#undef BITS

// Convolutions and dense layers on 8-bit integers by dot products of four (vpdpbusd), for processors with AVX-512 VNNI
// or AVX-VNNI.
//
// Vectors go over output channels: each lane has the sum of one, and gets the products of four bytes of a window, which
// all lanes share, with its own four weights. The sums of a panel of output channels for a few pixels stay in
// registers; windows are read where they are, and results leave as bytes NHWC.
//
// Weights are [panel][run][quad of places][vector][lane][place], with zeros where there is no channel or no place.
// Lanes have channels in the order that makes packed results contiguous: see rk_int8_lane.
#include "Int8Windows.h"

#ifdef RK_X86

enum { most_pixels = 4, most_block = 512 };

// How panels are cut: 16 lanes have as many vectors as are needed, 8 always have two.
static int64_t vectors_of(int64_t channels, int64_t lanes) { return lanes == 8 ? 2 : rk_quotient(channels, lanes); }
static int64_t channels_of(int64_t lanes) { return lanes == 8 ? 16 : 64; }

// Bytes of the first `channels` output channels of a group.
static int64_t bytes_of(int64_t quads, int64_t channels, int64_t lanes) {
  int64_t whole = channels / channels_of(lanes) * channels_of(lanes);
  return quads * RK_PLACES * (whole + (whole < channels ? vectors_of(channels - whole, lanes) * lanes : 0));
}

static rk_int8_windows windows_of(const rk_int8_convolution *p) {
  int64_t most = (12 << 10) / (p->channels / p->groups);
  most = most < 48 ? 48 : most > most_block ? most_block : most / 12 * 12;
  return rk_int8_windows_of(p, most, 1, 1, 128 << 10);
}

static int64_t quads_of(const rk_int8_windows *all) {
  return all->rows * all->columns * rk_quotient(all->places, RK_PLACES);
}

static int64_t dot_bytes(const rk_int8_convolution *p, int64_t lanes) {
  rk_int8_windows all = windows_of(p);
  return p->groups * bytes_of(quads_of(&all), p->out_channels / p->groups, lanes);
}

static void dot_pack(const rk_int8_convolution *p, const int8_t *weights, int8_t *packed, int64_t lanes) {
  rk_int8_windows all = windows_of(p);
  int64_t outputs = p->out_channels / p->groups, quads = quads_of(&all), area = all.rows * p->kernel_width;
  int64_t per_run = rk_quotient(all.places, RK_PLACES), wide = channels_of(lanes);
  memset(packed, 0, dot_bytes(p, lanes));
  for (int64_t o = 0; o < p->out_channels; o++, weights += all.inputs * area) {
    int64_t c = o % outputs, first = c / wide * wide, vectors = vectors_of(rk_smaller(wide, outputs - first), lanes);
    int64_t lane = rk_int8_lane(c - first, vectors, lanes);
    int8_t *panel = packed + o / outputs * bytes_of(quads, outputs, lanes) + bytes_of(quads, first, lanes);
    for (int64_t run = 0; run < all.rows * all.columns; run++) {
      for (int64_t place = 0; place < all.places; place++) {
        int64_t quad = run * per_run + place / RK_PLACES, y = run / all.columns;
        int64_t x = all.columns == 1 ? place / all.inputs : run % all.columns;
        panel[(quad * vectors * lanes + lane) * RK_PLACES + place % RK_PLACES] =
            weights[place % all.inputs * area + y * p->kernel_width + x];
      }
    }
  }
}

static int64_t scratch(const rk_int8_convolution *p) { return windows_of(p).scratch; }

#define SUFFIX _512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define LANES 16
#define DOT _mm512_dpbusd_epi32
#include "Int8DotBlock.h"

#define SUFFIX _256
#define TARGET __attribute__((target("avx2,avx512f,avx512vl,avx512vnni")))
#define LANES 8
#define DOT _mm256_dpbusd_epi32
#include "Int8DotBlock.h"

#define SUFFIX _avx
#define TARGET __attribute__((target("avx2,avxvnni")))
#define LANES 8
#define DOT _mm256_dpbusd_avx_epi32
#include "Int8DotBlock.h"

static int64_t bytes_16(const rk_int8_convolution *p, const int8_t *weights) { return (void)weights, dot_bytes(p, 16); }
static int64_t bytes_8(const rk_int8_convolution *p, const int8_t *weights) { return (void)weights, dot_bytes(p, 8); }
static void pack_16(const rk_int8_convolution *p, const int8_t *weights, void *to) { dot_pack(p, weights, to, 16); }
static void pack_8(const rk_int8_convolution *p, const int8_t *weights, void *to) { dot_pack(p, weights, to, 8); }

const rk_int8_kernel rk_int8_dot_512 = {
    "own int8 avx512 vnni", RK_HAS_AVX512_VNNI, rk_int8_any, bytes_16, pack_16, scratch, convolve_512};
const rk_int8_kernel rk_int8_dot_256 = {
    "own int8 avx512 vnni 256", RK_HAS_AVX512_VNNI, rk_int8_any, bytes_8, pack_8, scratch, convolve_256};
const rk_int8_kernel rk_int8_dot_avx = {
    "own int8 avx vnni", RK_HAS_AVX_VNNI, rk_int8_any, bytes_8, pack_8, scratch, convolve_avx};

#endif

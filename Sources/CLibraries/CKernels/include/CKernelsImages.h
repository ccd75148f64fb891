// Images: resampling, and changes as Pillow makes them.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// One axis of a separable filter: output i is the sum over j < stride of weights[i * stride + j] * input[starts[i] + j],
// weights in units of 2^-22. Every input named must exist, also where its weight is 0.
typedef struct { const int32_t *starts; const int32_t *weights; int64_t outputs, stride; } rk_taps;

// Images of four bytes per pixel, filtered along x and along y, each rounded to bytes. On the calling thread alone.
void rk_resample_rows(const uint8_t *source, int64_t width, int64_t height, const rk_taps *columns, uint8_t *target);
void rk_resample_columns(const uint8_t *source, int64_t width, const rk_taps *rows, uint8_t *target);
// Red, green and blue of each pixel to planes of their own; and to one plane of grey, as ITU-R BT.601 weighs them.
void rk_split_pixels(const uint8_t *pixels, int64_t count, uint8_t *planes);
void rk_weigh_pixels(const uint8_t *pixels, int64_t count, uint8_t *grey);

// Changes of images as Pillow makes them, to the byte; planes of bytes, source and target apart.
// target(x, y) = source(m0 (x + 1/2) + m1 (y + 1/2) + m2, m3 (x + 1/2) + m4 (y + 1/2) + m5), bilinear or bicubic; `fill`
// has a byte for each channel, for what lies outside.
void rk_affine(const uint8_t *source, int64_t channels, int64_t height, int64_t width, const double matrix[6],
               const uint8_t *fill, int is_cubic, uint8_t *target);
// y = a + share * (b - a), cut to bytes.
void rk_blend(const uint8_t *a, const uint8_t *b, float share, int64_t count, uint8_t *y);
// One plane through the 3 x 3 filter of ones around a five; its edge stays.
void rk_smooth(const uint8_t *x, int64_t height, int64_t width, uint8_t *y);
// Planes of red, green and blue by way of hue (0 to 255, to which `turn` is added), saturation and value.
void rk_turn_hue(const uint8_t *planes, int64_t count, uint8_t turn, uint8_t *target);
// One plane of grey from three of red, green and blue, as rk_weigh_pixels weighs them.
void rk_weigh_planes(const uint8_t *planes, int64_t count, uint8_t *grey);

#ifdef __cplusplus
}
#endif

#include "CKernels.h"
#include "Team.h"
#include <math.h>

// Pillow is built without fused MACs, and truncates; so bytes agree only where nothing is fused here.
#pragma STDC FP_CONTRACT OFF

RK_INLINE int64_t clamped(int64_t i, int64_t count) { return i < 0 ? 0 : i >= count ? count - 1 : i; }

RK_INLINE double cubic(double a, double b, double c, double d, double t) {
  double p2 = -a + c, p3 = 2 * (a - b) + c - d, p4 = -a + b - c + d;
  return b + t * (p2 + t * (p3 + t * p4));
}

RK_INLINE uint8_t truncated(double v) { return v <= 0 ? 0 : v >= 255 ? 255 : (uint8_t)v; }

RK_INLINE double bilinear(const uint8_t *plane, int64_t width, const int64_t *rows, const int64_t *columns, double dx,
                          double dy) {
  const uint8_t *line = plane + rows[0] * width;
  double above = line[columns[0]] + ((double)line[columns[1]] - line[columns[0]]) * dx;
  if (dy == 0) return above;
  line = plane + rows[1] * width;
  double below = line[columns[0]] + ((double)line[columns[1]] - line[columns[0]]) * dx;
  return above + (below - above) * dy;
}

RK_INLINE double bicubic(const uint8_t *plane, int64_t width, const int64_t *rows, const int64_t *columns, double dx,
                         double dy) {
  double v[4];
  for (int j = 0; j < 4; j++) {
    // Without a fraction the second line is the result.
    if (dy == 0 && j != 1) continue;
    const uint8_t *line = plane + rows[j] * width;
    v[j] = dx == 0 ? line[columns[1]]
                   : cubic(line[columns[0]], line[columns[1]], line[columns[2]], line[columns[3]], dx);
  }
  return dy == 0 ? v[1] : cubic(v[0], v[1], v[2], v[3], dy);
}

void rk_affine(const uint8_t *source, int64_t channels, int64_t height, int64_t width, const double matrix[6],
               const uint8_t *fill, int is_cubic, uint8_t *target) {
  int64_t plane = height * width;
  for (int64_t y = 0; y < height; y++) {
    for (int64_t x = 0; x < width; x++) {
      double u = x + 0.5, v = y + 0.5;
      double px = matrix[0] * u + matrix[1] * v + matrix[2];
      double py = matrix[3] * u + matrix[4] * v + matrix[5];
      uint8_t *out = target + y * width + x;
      if (!(px >= 0 && px < width && py >= 0 && py < height)) {
        for (int64_t c = 0; c < channels; c++) out[c * plane] = fill[c];
        continue;
      }
      px -= 0.5;
      py -= 0.5;
      double left = floor(px), top = floor(py);
      double dx = px - left, dy = py - top;
      int before = is_cubic ? 1 : 0, taps = is_cubic ? 4 : 2;
      int64_t rows[4], columns[4];
      for (int i = 0; i < taps; i++) {
        rows[i] = clamped((int64_t)top - before + i, height);
        columns[i] = clamped((int64_t)left - before + i, width);
      }
      for (int64_t c = 0; c < channels; c++) {
        const uint8_t *from = source + c * plane;
        double value = is_cubic ? bicubic(from, width, rows, columns, dx, dy) : bilinear(from, width, rows, columns, dx, dy);
        out[c * plane] = truncated(value);
      }
    }
  }
}

RK_CLONES void rk_blend(const uint8_t *a, const uint8_t *b, float share, int64_t count, uint8_t *y) {
  for (int64_t i = 0; i < count; i++) {
    float difference = share * (float)((int)b[i] - (int)a[i]);
    float value = (float)a[i] + difference;
    y[i] = (uint8_t)(int)(value < 0 ? 0 : value > 255 ? 255 : value);
  }
}

RK_CLONES void rk_smooth(const uint8_t *x, int64_t height, int64_t width, uint8_t *y) {
  for (int64_t i = 0; i < height; i++) {
    const uint8_t *line = x + i * width;
    uint8_t *out = y + i * width;
    for (int64_t j = 0; j < width; j++) out[j] = line[j];
    if (i == 0 || i == height - 1 || width < 3) continue;
    const uint8_t *above = line - width, *below = line + width;
    for (int64_t j = 1; j < width - 1; j++) {
      int sum = above[j - 1] + above[j] + above[j + 1] + line[j - 1] + 5 * line[j] + line[j + 1] + below[j - 1] +
                below[j] + below[j + 1];
      out[j] = (uint8_t)((2 * sum + 13) / 26);
    }
  }
}

RK_INLINE int at_most_255(int x) { return x < 0 ? 0 : x > 255 ? 255 : x; }

void rk_turn_hue(const uint8_t *planes, int64_t count, uint8_t turn, uint8_t *target) {
  for (int64_t i = 0; i < count; i++) {
    int r = planes[i], g = planes[count + i], b = planes[2 * count + i];
    int most = r > g ? (r > b ? r : b) : (g > b ? g : b), least = r < g ? (r < b ? r : b) : (g < b ? g : b);
    uint8_t hue = 0, saturation = 0;
    if (most != least) {
      float range = (float)(most - least);
      float share = range / (float)most;
      float red = (float)(most - r) / range, green = (float)(most - g) / range, blue = (float)(most - b) / range;
      float h = r == most ? blue - green : g == most ? (float)(2.0 + red - blue) : (float)(4.0 + green - red);
      h = (float)fmod(h / 6.0 + 1.0, 1.0);
      hue = (uint8_t)at_most_255((int)(h * 255.0));
      saturation = (uint8_t)at_most_255((int)(share * 255.0));
    }
    hue = (uint8_t)(hue + turn);
    uint8_t v = (uint8_t)most, red = v, green = v, blue = v;
    if (saturation != 0) {
      int sector = (int)floor((float)hue * 6.0 / 255.0);
      float f = (float)((float)hue * 6.0 / 255.0 - (float)sector);
      float fs = (float)((float)saturation / 255.0);
      uint8_t p = (uint8_t)at_most_255((int)(float)round((float)v * (1.0 - fs)));
      uint8_t q = (uint8_t)at_most_255((int)(float)round((float)v * (1.0 - fs * f)));
      uint8_t t = (uint8_t)at_most_255((int)(float)round((float)v * (1.0 - fs * (1.0 - f))));
      switch (sector % 6) {
      case 0: green = t; blue = p; break;
      case 1: red = q; blue = p; break;
      case 2: red = p; blue = t; break;
      case 3: red = p; green = q; break;
      case 4: red = t; green = p; break;
      default: green = p; blue = q; break;
      }
    }
    target[i] = red;
    target[count + i] = green;
    target[2 * count + i] = blue;
  }
}

RK_CLONES void rk_weigh_planes(const uint8_t *planes, int64_t count, uint8_t *grey) {
  const uint8_t *red = planes, *green = planes + count, *blue = planes + 2 * count;
  for (int64_t i = 0; i < count; i++) {
    grey[i] = (uint8_t)((red[i] * 19595u + green[i] * 38470u + blue[i] * 7471u + 0x8000u) >> 16);
  }
}

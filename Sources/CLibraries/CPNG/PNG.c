#include "CPNG.h"
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct source {
  const uint8_t *bytes;
  size_t left;
  char *message;
  jmp_buf failed;
};

static void fail(png_structp png, png_const_charp text) {
  struct source *source = png_get_error_ptr(png);
  snprintf(source->message, CPNG_MESSAGE, "%s", text);
  longjmp(source->failed, 1);
}

static void say_nothing(png_structp png, png_const_charp text) { (void)png, (void)text; }

static void give(png_structp png, png_bytep target, size_t count) {
  struct source *source = png_get_io_ptr(png);
  if (count > source->left) png_error(png, "the data ends early");
  memcpy(target, source->bytes, count);
  source->bytes += count;
  source->left -= count;
}

// A row of libpng's samples as four bytes a pixel. From the last pixel to the first, since both share the memory.
static void spread(uint8_t *row, int32_t width, int color, int depth, const uint8_t palette[256][4]) {
  for (int32_t x = width - 1; x >= 0; x--) {
    uint8_t pixel[4] = {0, 0, 0, 0};
    switch (color) {
    case PNG_COLOR_TYPE_PALETTE: memcpy(pixel, palette[row[x]], 4); break;
    case PNG_COLOR_TYPE_GRAY:
      // Pillow takes 16 bits of grey for a number, which it cuts to 255; of colours it takes the higher byte.
      pixel[0] = depth < 16 ? row[x] : row[2 * x] ? 255 : row[2 * x + 1];
      pixel[1] = pixel[2] = pixel[0];
      break;
    case PNG_COLOR_TYPE_GRAY_ALPHA: pixel[0] = pixel[1] = pixel[2] = row[2 * x]; break;
    case PNG_COLOR_TYPE_RGB: memcpy(pixel, row + 3 * (size_t)x, 3); break;
    default: memcpy(pixel, row + 4 * (size_t)x, 4);
    }
    memcpy(row + 4 * (size_t)x, pixel, 4);
  }
}

int cpng_decode(const uint8_t *bytes, size_t count, int32_t width, int32_t height, uint8_t *pixels,
                char message[CPNG_MESSAGE]) {
  struct source source = {.bytes = bytes, .left = count, .message = message};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, fail, say_nothing);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_read_struct(&png, NULL, NULL);
    snprintf(message, CPNG_MESSAGE, "there is no memory for it");
    return 1;
  }
  if (setjmp(source.failed)) {
    png_destroy_read_struct(&png, &info, NULL);
    return 1;
  }
  png_set_read_fn(png, &source, give);
  // Only what the pixels follow from is read; a profile or a text may be as damaged as it likes.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_QUIET_USE);
  png_set_user_limits(png, (png_uint_32)width, (png_uint_32)height);
  png_read_info(png, info);
  if ((int32_t)png_get_image_width(png, info) != width || (int32_t)png_get_image_height(png, info) != height)
    png_error(png, "its header says another size");
  int color = png_get_color_type(png, info), depth = png_get_bit_depth(png, info);
  uint8_t palette[256][4] = {{0}};
  if (color == PNG_COLOR_TYPE_PALETTE) {
    png_colorp colors = NULL;
    int number = 0;
    if (!png_get_PLTE(png, info, &colors, &number)) png_error(png, "it has no palette");
    for (int i = 0; i < number; i++) {
      palette[i][0] = colors[i].red;
      palette[i][1] = colors[i].green;
      palette[i][2] = colors[i].blue;
    }
  }
  if (depth < 8 && color == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png);
  else if (depth < 8) png_set_packing(png);
  if (depth == 16 && color != PNG_COLOR_TYPE_GRAY) png_set_strip_16(png);
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  // Rows are read into their places, where they are never longer than what they become.
  if (png_get_rowbytes(png, info) > 4 * (size_t)width) png_error(png, "its rows are too long");
  size_t stride = 4 * (size_t)width;
  for (int pass = 0; pass < passes; pass++) {
    for (int32_t y = 0; y < height; y++) {
      png_read_row(png, pixels + (size_t)y * stride, NULL);
      if (passes == 1) spread(pixels + (size_t)y * stride, width, color, depth, palette);
    }
  }
  if (passes > 1) {
    for (int32_t y = 0; y < height; y++) spread(pixels + (size_t)y * stride, width, color, depth, palette);
  }
  png_destroy_read_struct(&png, &info, NULL);
  return 0;
}

const char *cpng_version(void) { return png_get_libpng_ver(NULL); }

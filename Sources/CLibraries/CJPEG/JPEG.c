#include "CJPEG.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

struct cjpeg_decoder {
  struct jpeg_decompress_struct info;
  struct jpeg_error_mgr errors;
  jmp_buf failed;
  // The data ended before the image did: libjpeg would fill the rest with grey and go on.
  int ends_early;
  char *message;
  uint8_t *row;
};

static void fail(j_common_ptr info) {
  cjpeg_decoder *decoder = info->client_data;
  if (decoder->message) {
    char text[JMSG_LENGTH_MAX];
    info->err->format_message(info, text);
    snprintf(decoder->message, CJPEG_MESSAGE, "%s", text);
  }
  longjmp(decoder->failed, 1);
}

static void note(j_common_ptr info, int level) {
  cjpeg_decoder *decoder = info->client_data;
  if (level < 0 && info->err->msg_code == JWRN_JPEG_EOF) decoder->ends_early = 1;
}

static void say_nothing(j_common_ptr info) { (void)info; }

cjpeg_decoder *cjpeg_open(const uint8_t *bytes, size_t count, char message[CJPEG_MESSAGE]) {
  cjpeg_decoder *decoder = calloc(1, sizeof *decoder);
  if (!decoder) {
    snprintf(message, CJPEG_MESSAGE, "there is no memory for it");
    return NULL;
  }
  decoder->info.err = jpeg_std_error(&decoder->errors);
  decoder->errors.error_exit = fail;
  decoder->errors.emit_message = note;
  decoder->errors.output_message = say_nothing;
  decoder->info.client_data = decoder;
  decoder->message = message;
  if (setjmp(decoder->failed)) {
    cjpeg_close(decoder);
    return NULL;
  }
  jpeg_create_decompress(&decoder->info);
  decoder->info.client_data = decoder;
  jpeg_mem_src(&decoder->info, bytes, count);
  jpeg_read_header(&decoder->info, TRUE);
  decoder->message = NULL;
  return decoder;
}

int32_t cjpeg_width(const cjpeg_decoder *decoder) { return (int32_t)decoder->info.image_width; }
int32_t cjpeg_height(const cjpeg_decoder *decoder) { return (int32_t)decoder->info.image_height; }

static uint8_t product(unsigned a, unsigned b) {
  unsigned t = a * b + 128;
  return (uint8_t)((t + (t >> 8)) >> 8);
}

int cjpeg_decode(cjpeg_decoder *decoder, int32_t reduction, int32_t left, int32_t top, int32_t width, int32_t height,
                 uint8_t *pixels, char message[CJPEG_MESSAGE]) {
  struct jpeg_decompress_struct *info = &decoder->info;
  decoder->message = message;
  message[0] = 0;
  if (setjmp(decoder->failed)) return 1;

  info->scale_num = 1;
  info->scale_denom = (unsigned)reduction;
  int four_inks = info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK;
  info->out_color_space = four_inks ? JCS_CMYK : JCS_EXT_RGBX;
  jpeg_start_decompress(info);
  if (left < 0 || top < 0 || width < 1 || height < 1 || left + width > (int32_t)info->output_width ||
      top + height > (int32_t)info->output_height) {
    snprintf(message, CJPEG_MESSAGE, "a part outside of the image was asked for");
    return 1;
  }
  // Colour is interpolated between neighbours, so a margin keeps what is cut off from changing what is not.
  JDIMENSION from = (JDIMENSION)(left > 16 ? left - 16 : 0);
  JDIMENSION to = (JDIMENSION)(left + width + 16);
  if (to > info->output_width) to = info->output_width;
  JDIMENSION count = to - from;
  // Narrowing costs more than it saves where little is cut off, and does not know images of one block.
  if (count + 64 < info->output_width) jpeg_crop_scanline(info, &from, &count);
  else from = 0;
  decoder->row = malloc((size_t)info->output_width * 4);
  if (!decoder->row) {
    snprintf(message, CJPEG_MESSAGE, "there is no memory for it");
    return 1;
  }
  if (top > 0) jpeg_skip_scanlines(info, (JDIMENSION)top);
  const uint8_t *part = decoder->row + 4 * (size_t)((JDIMENSION)left - from);
  for (int32_t y = 0; y < height; y++) {
    uint8_t *out = pixels + 4 * (size_t)y * (size_t)width;
    if (jpeg_read_scanlines(info, &decoder->row, 1) != 1) break;
    if (!four_inks) {
      memcpy(out, part, 4 * (size_t)width);
    } else {
      // Adobe writes inks inverted, and so does everybody.
      for (int32_t x = 0; x < width; x++) {
        for (int c = 0; c < 3; c++) out[4 * x + c] = product(part[4 * x + c], part[4 * x + 3]);
      }
    }
  }
  if (decoder->ends_early) snprintf(message, CJPEG_MESSAGE, "the JPEG data ends early");
  decoder->message = NULL;
  return decoder->ends_early;
}

void cjpeg_close(cjpeg_decoder *decoder) {
  if (!decoder) return;
  jpeg_destroy_decompress(&decoder->info);
  free(decoder->row);
  free(decoder);
}

#define CJPEG_TEXT(x) #x
#define CJPEG_VALUE(x) CJPEG_TEXT(x)

const char *cjpeg_version(void) {
#ifdef LIBJPEG_TURBO_VERSION
  return CJPEG_VALUE(LIBJPEG_TURBO_VERSION);
#else
  return CJPEG_VALUE(JPEG_LIB_VERSION);
#endif
}

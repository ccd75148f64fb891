// The body of MaxPool.c for one kind of numbers and one width of vectors: the includer's are LANES, NAME, CLONES, INLINE,
// ELEMENT, and TAKE, PUT, TAKE_PLACES and PUT_PLACES, which are told how many numbers there are, if fewer than lanes.

typedef float NAME(vector) __attribute__((ext_vector_type(LANES), aligned(4)));
typedef int32_t NAME(number) __attribute__((ext_vector_type(LANES), aligned(4)));
typedef uint16_t NAME(place) __attribute__((ext_vector_type(LANES), aligned(2)));

// One row of outputs, for some of the numbers that lie together.
INLINE void NAME(largest)(const rk_max_pooling *p, int64_t item, int64_t from, int64_t to, const int keeps_places) {
  int64_t row = item % p->out_height, inner = p->inner;
  const ELEMENT *image = (const ELEMENT *)p->x + item / p->out_height * p->height * p->width * inner;
  ELEMENT *y = (ELEMENT *)p->y + item * p->out_width * inner;
  uint16_t *places = keeps_places ? p->places + item * p->out_width * inner : 0;
  span down = taps_of(row, p->stride_height, p->pad_top, p->kernel_height, p->height);
  int64_t top = row * p->stride_height - p->pad_top;
  for (int64_t column = 0; column < p->out_width; column++) {
    span across = taps_of(column, p->stride_width, p->pad_left, p->kernel_width, p->width);
    int64_t left = column * p->stride_width - p->pad_left;
    for (int64_t c = from; c < to; c += LANES) {
      NAME(vector) most = -__builtin_inff();
      NAME(number) at = (int32_t)(down.from * p->kernel_width + across.from);
      for (int64_t i = down.from; i < down.to; i++)
        for (int64_t j = across.from; j < across.to; j++) {
          NAME(vector) x = TAKE(image + ((top + i) * p->width + left + j) * inner + c, to - c);
          // What is larger, or the first that is NaN.
          NAME(number) takes = ~(x <= most) & (most == most);
          most = takes ? x : most;
          if (keeps_places) at = takes ? (NAME(number))(int32_t)(i * p->kernel_width + j) : at;
        }
      PUT(y + column * inner + c, to - c, most);
      if (keeps_places) PUT_PLACES(places + column * inner + c, to - c, at);
    }
  }
}
CLONES static void NAME(row)(const rk_max_pooling *p, int64_t item, int64_t from, int64_t to) {
  if (p->places) NAME(largest)(p, item, from, to, 1);
  else NAME(largest)(p, item, from, to, 0);
}

// One row of the input's gradient: each number gets what the windows that it lies in send it.
CLONES static void NAME(row_backward)(const rk_max_pooling *p, int64_t item, int64_t from, int64_t to) {
  int64_t y = item % p->height, image = item / p->height, inner = p->inner;
  ELEMENT *dx = (ELEMENT *)p->dx + item * p->width * inner;
  const ELEMENT *dy = (const ELEMENT *)p->dy + image * p->out_height * p->out_width * inner;
  const uint16_t *places = p->places + image * p->out_height * p->out_width * inner;
  span rows = windows_of(y, p->stride_height, p->pad_top, p->kernel_height, p->out_height);
  for (int64_t x = 0; x < p->width; x++) {
    span columns = windows_of(x, p->stride_width, p->pad_left, p->kernel_width, p->out_width);
    for (int64_t c = from; c < to; c += LANES) {
      NAME(vector) sum = 0.0f;
      for (int64_t row = rows.from; row < rows.to; row++) {
        int64_t i = y + p->pad_top - row * p->stride_height;
        for (int64_t column = columns.from; column < columns.to; column++) {
          int64_t j = x + p->pad_left - column * p->stride_width, place = (row * p->out_width + column) * inner + c;
          NAME(number) at = TAKE_PLACES(places + place, to - c);
          NAME(number) is_own = at == (NAME(number))(int32_t)(i * p->kernel_width + j);
          sum += is_own ? TAKE(dy + place, to - c) : (NAME(vector))0.0f;
        }
      }
      PUT(dx + x * inner + c, to - c, sum);
    }
  }
}

// The body of BatchNorm.c for one width of the channel block and one type of activations. The includer's are VECTOR, BLOCK
// and NAME; ELEMENT with TAKE, PUT and NUMBER, which read and write activations; CLONES and INLINE, for the processors
// that functions are compiled for.

CLONES static void NAME(sum_forward)(const rk_batch_norm *p, items share) {
  int64_t blocks = p->channels / BLOCK, pixels = p->pixels;
  for (int64_t i = share.from; i < share.to; i++) {
    int64_t item = item_of(p, blocks, share, i), block = item % blocks;
    const ELEMENT *x = (const ELEMENT *)p->x + item * pixels * BLOCK;
    VECTOR around = TAKE((const ELEMENT *)p->x + block * pixels * BLOCK);
    VECTOR s0 = 0, s1 = 0, q0 = 0, q1 = 0;
    int64_t j = 0;
    for (; j + 2 <= pixels; j += 2) {
      VECTOR a = TAKE(x + j * BLOCK) - around, b = TAKE(x + (j + 1) * BLOCK) - around;
      s0 += a; q0 += a * a;
      s1 += b; q1 += b * b;
    }
    if (j < pixels) {
      VECTOR a = TAKE(x + j * BLOCK) - around;
      s0 += a; q0 += a * a;
    }
    STORE(p->partial + item * 2 * BLOCK, s0 + s1);
    STORE(p->partial + item * 2 * BLOCK + BLOCK, q0 + q1);
  }
}

static void NAME(join_forward)(const rk_batch_norm *p, rk_range share) {
  int64_t blocks = p->channels / BLOCK;
  double count = (double)p->batch * (double)p->pixels;
  for (int64_t block = share.from; block < share.to; block++) {
    for (int c = 0; c < BLOCK; c++) {
      double sum = 0, squares = 0;
      for (int64_t n = 0; n < p->batch; n++) {
        const float *partial = p->partial + (n * blocks + block) * 2 * BLOCK;
        sum += partial[c];
        squares += partial[BLOCK + c];
      }
      double shifted = sum / count;
      double mean = shifted + NUMBER(((const ELEMENT *)p->x)[block * p->pixels * BLOCK + c]);
      double variance = squares / count - shifted * shifted;
      if (variance < 0) variance = 0;
      int64_t channel = block * BLOCK + c;
      if (p->sums) {
        // Each process takes its sums around another value, so what goes between them are sums around 0.
        p->sums[channel] = mean * count;
        p->sums[p->channels + channel] = (variance + mean * mean) * count;
      } else {
        set_statistics(p, channel, mean, variance, count);
      }
    }
  }
}

static void NAME(take_forward)(void *opaque) {
  const rk_batch_norm *p = opaque;
  double count = (double)p->batch * (double)p->pixels * (double)p->processes;
  rk_range share = rk_share(p->channels, BLOCK);
  for (int64_t channel = share.from; channel < share.to; channel++) {
    double mean = p->sums[channel] / count;
    double variance = p->sums[p->channels + channel] / count - mean * mean;
    set_statistics(p, channel, mean, variance < 0 ? 0 : variance, count);
  }
}

INLINE void NAME(normalize)(const rk_batch_norm *p, items share, int activation, int has_residual) {
  int64_t blocks = p->channels / BLOCK, pixels = p->pixels;
  float low = p->low, high = p->high;
  for (int64_t i = share.from; i < share.to; i++) {
    int64_t item = item_of(p, blocks, share, i), channel = item % blocks * BLOCK;
    VECTOR mean = LOAD(p->mean + channel);
    VECTOR factor = LOAD(p->rstd + channel) * LOAD(p->scale + channel);
    VECTOR shift = LOAD(p->shift + channel);
    const ELEMENT *x = (const ELEMENT *)p->x + item * pixels * BLOCK;
    const ELEMENT *r = (const ELEMENT *)p->residual + (has_residual ? item * pixels * BLOCK : 0);
    ELEMENT *y = (ELEMENT *)p->y + item * pixels * BLOCK;
    for (int64_t j = 0; j < pixels * BLOCK; j += BLOCK) {
      VECTOR v = (TAKE(x + j) - mean) * factor + shift;
      if (has_residual) v += TAKE(r + j);
      PUT(y + j, ACTIVATE(v, activation, low, high));
    }
  }
}

CLONES static void NAME(normalize_any)(const rk_batch_norm *p, items share) {
  // Each variant is a loop of its own, without a branch inside.
  if (p->has_residual) {
    if (p->activation == rk_activation_none) NAME(normalize)(p, share, rk_activation_none, 1);
    else if (p->activation == rk_activation_relu) NAME(normalize)(p, share, rk_activation_relu, 1);
    else NAME(normalize)(p, share, rk_activation_clip, 1);
  } else {
    if (p->activation == rk_activation_none) NAME(normalize)(p, share, rk_activation_none, 0);
    else if (p->activation == rk_activation_relu) NAME(normalize)(p, share, rk_activation_relu, 0);
    else NAME(normalize)(p, share, rk_activation_clip, 0);
  }
}

static void NAME(sum_forward_share)(void *opaque) {
  const rk_batch_norm *p = opaque;
  NAME(sum_forward)(p, own_items(p, p->channels / BLOCK));
}
static void NAME(join_forward_share)(void *opaque) {
  const rk_batch_norm *p = opaque;
  NAME(join_forward)(p, rk_share(p->channels / BLOCK, 1));
}
static void NAME(normalize_share)(void *opaque) {
  const rk_batch_norm *p = opaque;
  NAME(normalize_any)(p, own_items(p, p->channels / BLOCK));
}
static void NAME(forward_blocks)(void *opaque) {
  const rk_batch_norm *p = opaque;
  rk_range share = rk_share(p->channels / BLOCK, 1);
  for (int64_t block = share.from; block < share.to; block++) {
    items own = items_of_block(p, block);
    NAME(sum_forward)(p, own);
    NAME(join_forward)(p, (rk_range){block, block + 1});
    NAME(normalize_any)(p, own);
  }
}

// The gradient before the activation, masked by the output: without a residual by what x gives again, which costs
// less than to read y.
#define GRADIENT(j)                                                                             \
  ({                                                                                            \
    VECTOR g = TAKE(dy + (j));                                                                  \
    if (has_second) g += TAKE(dy2 + (j));                                                       \
    if (activation != rk_activation_none) {                                                     \
      VECTOR v;                                                                                 \
      if (has_residual) v = TAKE(y + (j));                                                   \
      else v = ACTIVATE((TAKE(x + (j)) - mean) * factor + shift, activation, low, high);        \
      g = MASKED(g, v, activation, low, high);                                                  \
    }                                                                                           \
    g;                                                                                          \
  })

INLINE void NAME(sum_gradient)(const rk_batch_norm *p, items share, int activation, int has_second, int has_residual) {
  int64_t blocks = p->channels / BLOCK, pixels = p->pixels;
  float low = p->low, high = p->high;
  const ELEMENT *x = p->x, *y = p->y, *dy = p->dy, *dy2 = p->dy2;
  ELEMENT *kept = p->dresidual;
  for (int64_t i = share.from; i < share.to; i++) {
    int64_t item = item_of(p, blocks, share, i), at = item * pixels * BLOCK, channel = item % blocks * BLOCK;
    VECTOR mean = LOAD(p->mean + channel);
    VECTOR factor = LOAD(p->rstd + channel) * LOAD(p->scale + channel);
    VECTOR shift = LOAD(p->shift + channel);
    VECTOR s0 = 0, q0 = 0, s1 = 0, q1 = 0;
    for (int64_t k = 0; k < pixels; k++) {
      int64_t j = at + k * BLOCK;
      VECTOR g = GRADIENT(j);
      if (kept) PUT(kept + j, g);
      VECTOR d = TAKE(x + j) - mean;
      if (k & 1) { s1 += g; q1 += g * d; } else { s0 += g; q0 += g * d; }
    }
    STORE(p->partial + item * 2 * BLOCK, s0 + s1);
    STORE(p->partial + item * 2 * BLOCK + BLOCK, q0 + q1);
  }
}

INLINE void NAME(sum_gradient_of)(const rk_batch_norm *p, items share, int has_second, int has_residual) {
  if (p->activation == rk_activation_none) NAME(sum_gradient)(p, share, rk_activation_none, has_second, has_residual);
  else if (p->activation == rk_activation_relu) NAME(sum_gradient)(p, share, rk_activation_relu, has_second, has_residual);
  else NAME(sum_gradient)(p, share, rk_activation_clip, has_second, has_residual);
}

CLONES static void NAME(sum_gradient_any)(const rk_batch_norm *p, items share) {
  if (p->dy2 && p->has_residual) NAME(sum_gradient_of)(p, share, 1, 1);
  else if (p->dy2) NAME(sum_gradient_of)(p, share, 1, 0);
  else if (p->has_residual) NAME(sum_gradient_of)(p, share, 0, 1);
  else NAME(sum_gradient_of)(p, share, 0, 0);
}

static void NAME(join_gradient)(const rk_batch_norm *p, rk_range share) {
  int64_t blocks = p->channels / BLOCK;
  double count = (double)p->batch * (double)p->pixels;
  float *means = p->partial + 2 * p->batch * p->channels;
  for (int64_t block = share.from; block < share.to; block++) {
    for (int c = 0; c < BLOCK; c++) {
      double sum = 0, product = 0;
      for (int64_t n = 0; n < p->batch; n++) {
        const float *partial = p->partial + (n * blocks + block) * 2 * BLOCK;
        sum += partial[c];
        product += partial[BLOCK + c];
      }
      int64_t channel = block * BLOCK + c;
      double rstd = p->rstd[channel];
      p->dshift[channel] = (float)sum;
      p->dscale[channel] = (float)(product * rstd);
      if (*p->is_frozen) {
        // The statistics do not follow from x, so no gradient goes through them.
        means[channel] = means[p->channels + channel] = 0;
      } else if (p->sums) {
        p->sums[channel] = sum;
        p->sums[p->channels + channel] = product;
      } else {
        means[channel] = (float)(sum / count);
        means[p->channels + channel] = (float)(product * rstd * rstd / count);
      }
    }
  }
}

static void NAME(take_gradient)(void *opaque) {
  const rk_batch_norm *p = opaque;
  double count = (double)p->batch * (double)p->pixels * (double)p->processes;
  float *means = p->partial + 2 * p->batch * p->channels;
  rk_range share = rk_share(p->channels, BLOCK);
  for (int64_t channel = share.from; channel < share.to; channel++) {
    double rstd = p->rstd[channel];
    means[channel] = (float)(p->sums[channel] / count);
    means[p->channels + channel] = (float)(p->sums[p->channels + channel] * rstd * rstd / count);
  }
}

INLINE void NAME(spread_gradient)(
    const rk_batch_norm *p, items share, int activation, int has_second, int has_residual, int is_kept) {
  int64_t blocks = p->channels / BLOCK, pixels = p->pixels;
  float low = p->low, high = p->high;
  const float *means = p->partial + 2 * p->batch * p->channels;
  const ELEMENT *x = p->x, *y = p->y, *dy = p->dy, *dy2 = p->dy2, *kept = p->dresidual;
  ELEMENT *dx = p->dx;
  for (int64_t i = share.from; i < share.to; i++) {
    int64_t item = item_of(p, blocks, share, i), channel = item % blocks * BLOCK, at = item * pixels * BLOCK;
    VECTOR mean = LOAD(p->mean + channel);
    VECTOR factor = LOAD(p->rstd + channel) * LOAD(p->scale + channel);
    VECTOR shift = LOAD(p->shift + channel);
    VECTOR g_mean = LOAD(means + channel), gx_mean = LOAD(means + p->channels + channel);
    for (int64_t j = at; j < at + pixels * BLOCK; j += BLOCK) {
      VECTOR g;
      if (is_kept) g = TAKE(kept + j);  // summed and masked already
      else g = GRADIENT(j);
      PUT(dx + j, (g - g_mean - (TAKE(x + j) - mean) * gx_mean) * factor);
    }
  }
}

INLINE void NAME(spread_gradient_of)(const rk_batch_norm *p, items share, int has_residual) {
  if (p->activation == rk_activation_none) NAME(spread_gradient)(p, share, rk_activation_none, p->dy2 != 0, has_residual, 0);
  else if (p->activation == rk_activation_relu)
    NAME(spread_gradient)(p, share, rk_activation_relu, p->dy2 != 0, has_residual, 0);
  else NAME(spread_gradient)(p, share, rk_activation_clip, p->dy2 != 0, has_residual, 0);
}

CLONES static void NAME(spread_gradient_any)(const rk_batch_norm *p, items share) {
  if (p->dresidual) NAME(spread_gradient)(p, share, rk_activation_none, 0, 1, 1);
  else if (p->has_residual) NAME(spread_gradient_of)(p, share, 1);
  else NAME(spread_gradient_of)(p, share, 0);
}

static void NAME(sum_gradient_share)(void *opaque) {
  const rk_batch_norm *p = opaque;
  NAME(sum_gradient_any)(p, own_items(p, p->channels / BLOCK));
}
static void NAME(join_gradient_share)(void *opaque) {
  const rk_batch_norm *p = opaque;
  NAME(join_gradient)(p, rk_share(p->channels / BLOCK, 1));
}
static void NAME(spread_gradient_share)(void *opaque) {
  const rk_batch_norm *p = opaque;
  NAME(spread_gradient_any)(p, own_items(p, p->channels / BLOCK));
}
static void NAME(backward_blocks)(void *opaque) {
  const rk_batch_norm *p = opaque;
  rk_range share = rk_share(p->channels / BLOCK, 1);
  for (int64_t block = share.from; block < share.to; block++) {
    items own = items_of_block(p, block);
    NAME(sum_gradient_any)(p, own);
    NAME(join_gradient)(p, (rk_range){block, block + 1});
    NAME(spread_gradient_any)(p, own);
  }
}

#undef GRADIENT

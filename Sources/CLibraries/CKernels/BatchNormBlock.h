// The body of BatchNorm.c for one width of the channel block: VECTOR, BLOCK and NAME are the includer's.

RK_CLONES static void NAME(sum_forward)(const rk_batch_norm *p) {
  int64_t blocks = p->channels / BLOCK, pixels = p->pixels, items = p->batch * blocks;
  rk_range share = rk_share(items, 1);
  for (int64_t item = share.from; item < share.to; item++) {
    int64_t block = item % blocks;
    const float *x = p->x + item * pixels * BLOCK;
    VECTOR around = LOAD(p->x + block * pixels * BLOCK);
    VECTOR s0 = 0, s1 = 0, q0 = 0, q1 = 0;
    int64_t i = 0;
    for (; i + 2 <= pixels; i += 2) {
      VECTOR a = LOAD(x + i * BLOCK) - around, b = LOAD(x + (i + 1) * BLOCK) - around;
      s0 += a; q0 += a * a;
      s1 += b; q1 += b * b;
    }
    if (i < pixels) {
      VECTOR a = LOAD(x + i * BLOCK) - around;
      s0 += a; q0 += a * a;
    }
    STORE(p->partial + item * 2 * BLOCK, s0 + s1);
    STORE(p->partial + item * 2 * BLOCK + BLOCK, q0 + q1);
  }
}

static void NAME(join_forward)(const rk_batch_norm *p) {
  int64_t blocks = p->channels / BLOCK;
  double count = (double)p->batch * (double)p->pixels;
  rk_range share = rk_share(blocks, 1);
  for (int64_t block = share.from; block < share.to; block++) {
    for (int c = 0; c < BLOCK; c++) {
      double sum = 0, squares = 0;
      for (int64_t n = 0; n < p->batch; n++) {
        const float *partial = p->partial + (n * blocks + block) * 2 * BLOCK;
        sum += partial[c];
        squares += partial[BLOCK + c];
      }
      double shifted = sum / count;
      double mean = shifted + p->x[block * p->pixels * BLOCK + c];
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

static void NAME(take_forward)(const rk_batch_norm *p) {
  double count = (double)p->batch * (double)p->pixels * (double)p->processes;
  rk_range share = rk_share(p->channels, BLOCK);
  for (int64_t channel = share.from; channel < share.to; channel++) {
    double mean = p->sums[channel] / count;
    double variance = p->sums[p->channels + channel] / count - mean * mean;
    set_statistics(p, channel, mean, variance < 0 ? 0 : variance, count);
  }
}

RK_INLINE void NAME(normalize)(const rk_batch_norm *p, int activation, int has_residual) {
  int64_t blocks = p->channels / BLOCK, pixels = p->pixels;
  float low = p->low, high = p->high;
  rk_range share = rk_share(p->batch * blocks, 1);
  for (int64_t item = share.from; item < share.to; item++) {
    int64_t channel = item % blocks * BLOCK;
    VECTOR mean = LOAD(p->mean + channel);
    VECTOR factor = LOAD(p->rstd + channel) * LOAD(p->scale + channel);
    VECTOR shift = LOAD(p->shift + channel);
    const float *x = p->x + item * pixels * BLOCK;
    const float *r = p->residual + (has_residual ? item * pixels * BLOCK : 0);
    float *y = p->y + item * pixels * BLOCK;
    for (int64_t i = 0; i < pixels * BLOCK; i += BLOCK) {
      VECTOR v = (LOAD(x + i) - mean) * factor + shift;
      if (has_residual) v += LOAD(r + i);
      STORE(y + i, ACTIVATE(v, activation, low, high));
    }
  }
}

RK_CLONES static void NAME(normalize_any)(const rk_batch_norm *p) {
  // Each variant is a loop of its own, without a branch inside.
  if (p->residual) {
    if (p->activation == rk_activation_none) NAME(normalize)(p, rk_activation_none, 1);
    else if (p->activation == rk_activation_relu) NAME(normalize)(p, rk_activation_relu, 1);
    else NAME(normalize)(p, rk_activation_clip, 1);
  } else {
    if (p->activation == rk_activation_none) NAME(normalize)(p, rk_activation_none, 0);
    else if (p->activation == rk_activation_relu) NAME(normalize)(p, rk_activation_relu, 0);
    else NAME(normalize)(p, rk_activation_clip, 0);
  }
}

static void NAME(forward_sums)(void *opaque) {
  const rk_batch_norm *p = opaque;
  NAME(sum_forward)(p);
  GOMP_barrier();
  NAME(join_forward)(p);
}

static void NAME(forward_rest)(void *opaque) {
  const rk_batch_norm *p = opaque;
  NAME(take_forward)(p);
  GOMP_barrier();
  NAME(normalize_any)(p);
}

static void NAME(forward)(void *opaque) {
  const rk_batch_norm *p = opaque;
  if (*p->is_frozen) {
    keep_statistics(p);
  } else {
    NAME(sum_forward)(p);
    GOMP_barrier();
    NAME(join_forward)(p);
  }
  GOMP_barrier();
  NAME(normalize_any)(p);
}

RK_INLINE void NAME(sum_gradient)(const rk_batch_norm *p, int activation, int has_second) {
  int64_t blocks = p->channels / BLOCK, pixels = p->pixels;
  float low = p->low, high = p->high;
  float *kept = p->dresidual;
  rk_range share = rk_share(p->batch * blocks, 1);
  for (int64_t item = share.from; item < share.to; item++) {
    int64_t at = item * pixels * BLOCK;
    VECTOR mean = LOAD(p->mean + item % blocks * BLOCK);
    VECTOR s0 = 0, q0 = 0, s1 = 0, q1 = 0;
    for (int64_t i = 0; i < pixels; i++) {
      int64_t j = at + i * BLOCK;
      VECTOR g = LOAD(p->dy + j);
      if (has_second) g += LOAD(p->dy2 + j);
      if (activation != rk_activation_none) g = MASKED(g, LOAD(p->y + j), activation, low, high);
      if (kept) STORE(kept + j, g);
      VECTOR x = LOAD(p->x + j) - mean;
      if (i & 1) { s1 += g; q1 += g * x; } else { s0 += g; q0 += g * x; }
    }
    STORE(p->partial + item * 2 * BLOCK, s0 + s1);
    STORE(p->partial + item * 2 * BLOCK + BLOCK, q0 + q1);
  }
}

RK_CLONES static void NAME(sum_gradient_any)(const rk_batch_norm *p) {
  if (p->dy2) {
    if (p->activation == rk_activation_none) NAME(sum_gradient)(p, rk_activation_none, 1);
    else if (p->activation == rk_activation_relu) NAME(sum_gradient)(p, rk_activation_relu, 1);
    else NAME(sum_gradient)(p, rk_activation_clip, 1);
  } else {
    if (p->activation == rk_activation_none) NAME(sum_gradient)(p, rk_activation_none, 0);
    else if (p->activation == rk_activation_relu) NAME(sum_gradient)(p, rk_activation_relu, 0);
    else NAME(sum_gradient)(p, rk_activation_clip, 0);
  }
}

static void NAME(join_gradient)(const rk_batch_norm *p) {
  int64_t blocks = p->channels / BLOCK;
  double count = (double)p->batch * (double)p->pixels;
  float *means = p->partial + 2 * p->batch * p->channels;
  rk_range share = rk_share(blocks, 1);
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

static void NAME(take_gradient)(const rk_batch_norm *p) {
  double count = (double)p->batch * (double)p->pixels * (double)p->processes;
  float *means = p->partial + 2 * p->batch * p->channels;
  rk_range share = rk_share(p->channels, BLOCK);
  for (int64_t channel = share.from; channel < share.to; channel++) {
    double rstd = p->rstd[channel];
    means[channel] = (float)(p->sums[channel] / count);
    means[p->channels + channel] = (float)(p->sums[p->channels + channel] * rstd * rstd / count);
  }
}

RK_INLINE void NAME(spread_gradient)(const rk_batch_norm *p, int activation, int has_second, int is_kept) {
  int64_t blocks = p->channels / BLOCK, pixels = p->pixels;
  float low = p->low, high = p->high;
  const float *means = p->partial + 2 * p->batch * p->channels;
  rk_range share = rk_share(p->batch * blocks, 1);
  for (int64_t item = share.from; item < share.to; item++) {
    int64_t channel = item % blocks * BLOCK, at = item * pixels * BLOCK;
    VECTOR mean = LOAD(p->mean + channel);
    VECTOR factor = LOAD(p->rstd + channel) * LOAD(p->scale + channel);
    VECTOR g_mean = LOAD(means + channel), gx_mean = LOAD(means + p->channels + channel);
    for (int64_t j = at; j < at + pixels * BLOCK; j += BLOCK) {
      VECTOR g;
      if (is_kept) {
        g = LOAD(p->dresidual + j);  // summed and masked already
      } else {
        g = LOAD(p->dy + j);
        if (has_second) g += LOAD(p->dy2 + j);
        if (activation != rk_activation_none) g = MASKED(g, LOAD(p->y + j), activation, low, high);
      }
      STORE(p->dx + j, (g - g_mean - (LOAD(p->x + j) - mean) * gx_mean) * factor);
    }
  }
}

RK_CLONES static void NAME(spread_gradient_any)(const rk_batch_norm *p) {
  if (p->dresidual) NAME(spread_gradient)(p, rk_activation_none, 0, 1);
  else if (p->activation == rk_activation_none) NAME(spread_gradient)(p, rk_activation_none, p->dy2 != 0, 0);
  else if (p->activation == rk_activation_relu) NAME(spread_gradient)(p, rk_activation_relu, p->dy2 != 0, 0);
  else NAME(spread_gradient)(p, rk_activation_clip, p->dy2 != 0, 0);
}

static void NAME(backward_sums)(void *opaque) {
  const rk_batch_norm *p = opaque;
  NAME(sum_gradient_any)(p);
  GOMP_barrier();
  NAME(join_gradient)(p);
}

static void NAME(backward_rest)(void *opaque) {
  const rk_batch_norm *p = opaque;
  NAME(take_gradient)(p);
  GOMP_barrier();
  NAME(spread_gradient_any)(p);
}

static void NAME(backward)(void *opaque) {
  const rk_batch_norm *p = opaque;
  NAME(sum_gradient_any)(p);
  GOMP_barrier();
  NAME(join_gradient)(p);
  GOMP_barrier();
  NAME(spread_gradient_any)(p);
}

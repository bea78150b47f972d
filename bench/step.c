// The lesson's network and its gradients in plain C, float32: one training step, the batch drawn from synthetic
// characters. A baseline for the kernels: straightforward tiled loops, vectorised by the compiler.
//   gcc -O3 -march=native -ffast-math -DH=200 -DB=32 step.c -o step -lm && ./step 20000
// Prints the microseconds per step of three rounds.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef H
#define H 200
#endif
#ifndef B
#define B 32
#endif
enum { V = 27, E = 10, T = 3, I = T * E, VP = 32, IP = 32 };  // rows of V and of I are padded to whole vectors

static float C[V * E], W1[I * H], b1[H], bngain[H], bnbias[H], W2[H * VP], b2[VP];
static float dC[V * E], dW1[I * H], db1[H], dbngain[H], dbnbias[H], dW2[H * VP], db2[VP];
static float emb[B * I], hprebn[B * H], bnraw[B * H], bnvar_inv[H], h[B * H], logits[B * VP], dlogits[B * VP];
static float dh[B * H], demb[B * IP], W1t[H * IP], W2t[VP * H];
static int Xb[B * T], Yb[B];

static uint64_t state = 2147483647;
static uint32_t next_random(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return state >> 33;
}
static float next_weight(float scale) { return ((float)next_random() / 1073741824.f - 1.f) * scale; }

// Rational approximation of tanh, as in Eigen; exp after Cephes. Both vectorise.
static inline float fast_tanh(float x) {
  x = x > 7.9f ? 7.9f : x < -7.9f ? -7.9f : x;
  float y = x * x;
  float p = ((((((-2.76076847742355e-16f * y + 2.00018790482477e-13f) * y - 8.60467152213735e-11f) * y + 5.12229709037114e-08f) * y +
               1.48572235717979e-05f) * y + 6.37261928875436e-04f) * y + 4.89352455891786e-03f);
  float q = ((1.19825839466702e-06f * y + 1.18534705686654e-04f) * y + 2.26843463243900e-03f) * y + 4.89352518554385e-03f;
  return x * p / q;
}
static inline float fast_exp(float x) {
  x = x < -87.f ? -87.f : x;
  float n = floorf(x * 1.44269504f + .5f), r = x - n * .693359375f + n * 2.12194440e-4f;
  float p = (((((1.9875691500e-4f * r + 1.3981999507e-3f) * r + 8.3334519073e-3f) * r + 4.1665795894e-2f) * r + 1.6666665459e-1f) * r +
             5.0000001201e-1f) * r * r + r + 1.f;
  union { int32_t i; float f; } power = {.i = ((int32_t)n + 127) << 23};
  return p * power.f;
}

// out [M,J] = init + a·b in tiles of 4 by 32; a(m,k) = a[m·am + k·ak], b(k,j) = b[k·bk + j].
static void matmul(float *restrict out, int outm, const float *restrict init, const float *restrict a, int am, int ak, const float *restrict b,
                   int bk, int M, int J, int K) {
  for (int m = 0; m < M; m += 4) {
    int rows = M - m < 4 ? M - m : 4;
    for (int j = 0; j < J; j += 32) {
      int columns = J - j < 32 ? J - j : 32;
      float sum[4][32];
      for (int r = 0; r < 4; r++)
        for (int c = 0; c < 32; c++) sum[r][c] = init && c < columns ? init[j + c] : 0.f;
      if (rows == 4 && columns == 32) {
        for (int k = 0; k < K; k++)
          for (int r = 0; r < 4; r++)
            for (int c = 0; c < 32; c++) sum[r][c] += a[(m + r) * am + k * ak] * b[k * bk + j + c];
      } else {
        for (int k = 0; k < K; k++)
          for (int r = 0; r < rows; r++)
            for (int c = 0; c < columns; c++) sum[r][c] += a[(m + r) * am + k * ak] * b[k * bk + j + c];
      }
      for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) out[(m + r) * outm + j + c] = sum[r][c];
    }
  }
}

static float forward(void) {
  for (int r = 0; r < B * T; r++) memcpy(emb + r * E, C + Xb[r] * E, sizeof(float) * E);
  matmul(hprebn, H, b1, emb, I, 1, W1, H, B, H, I);
  static float mean[H], variance[H];
  memset(mean, 0, sizeof mean);
  memset(variance, 0, sizeof variance);
  for (int i = 0; i < B; i++)
    for (int j = 0; j < H; j++) mean[j] += hprebn[i * H + j] / B;
  for (int i = 0; i < B; i++)
    for (int j = 0; j < H; j++) {
      float difference = hprebn[i * H + j] - mean[j];
      variance[j] += difference * difference;
    }
  for (int j = 0; j < H; j++) bnvar_inv[j] = 1.f / sqrtf(variance[j] / (B - 1) + 1e-5f);
  for (int i = 0; i < B; i++)
    for (int j = 0; j < H; j++) {
      float raw = (hprebn[i * H + j] - mean[j]) * bnvar_inv[j];
      bnraw[i * H + j] = raw;
      h[i * H + j] = fast_tanh(bngain[j] * raw + bnbias[j]);
    }
  matmul(logits, VP, b2, h, H, 1, W2, VP, B, VP, H);
  float loss = 0;
  for (int i = 0; i < B; i++) {
    const float *row = logits + i * VP;
    float *out = dlogits + i * VP, largest = row[0], sum = 0;
    for (int v = 1; v < V; v++) largest = row[v] > largest ? row[v] : largest;
    for (int v = 0; v < VP; v++) out[v] = v < V ? fast_exp(row[v] - largest) : 0.f;
    for (int v = 0; v < VP; v++) sum += out[v];
    for (int v = 0; v < VP; v++) out[v] /= sum * B;
    out[Yb[i]] -= 1.f / B;
    loss += (logf(sum) - row[Yb[i]] + largest) / B;
  }
  return loss;
}

static void backward(void) {
  for (int j = 0; j < H; j++)
    for (int v = 0; v < VP; v++) W2t[v * H + j] = W2[j * VP + v];
  matmul(dh, H, 0, dlogits, VP, 1, W2t, H, B, H, V);
  matmul(dW2, VP, 0, h, 1, H, dlogits, VP, H, VP, B);
  memset(db2, 0, sizeof db2);
  for (int i = 0; i < B; i++)
    for (int v = 0; v < VP; v++) db2[v] += dlogits[i * VP + v];
  memset(dbngain, 0, sizeof dbngain);
  memset(dbnbias, 0, sizeof dbnbias);
  for (int i = 0; i < B; i++)
    for (int j = 0; j < H; j++) {
      float d = dh[i * H + j] * (1.f - h[i * H + j] * h[i * H + j]);
      dh[i * H + j] = d;
      dbnbias[j] += d;
      dbngain[j] += d * bnraw[i * H + j];
    }
  memset(db1, 0, sizeof db1);
  for (int i = 0; i < B; i++)
    for (int j = 0; j < H; j++) {
      float d = bngain[j] * bnvar_inv[j] / B * (B * dh[i * H + j] - dbnbias[j] - (float)B / (B - 1) * bnraw[i * H + j] * dbngain[j]);
      dh[i * H + j] = d;
      db1[j] += d;
    }
  matmul(dW1, H, 0, emb, 1, I, dh, H, I, H, B);
  for (int i = 0; i < I; i++)
    for (int j = 0; j < H; j++) W1t[j * IP + i] = W1[i * H + j];
  matmul(demb, IP, 0, dh, H, 1, W1t, IP, B, IP, H);
  memset(dC, 0, sizeof dC);
  for (int i = 0; i < B; i++)
    for (int t = 0; t < T; t++)
      for (int e = 0; e < E; e++) dC[Xb[i * T + t] * E + e] += demb[i * IP + t * E + e];
}

static void update(float *restrict p, const float *restrict d, int size, float rate) {
  for (int i = 0; i < size; i++) p[i] -= rate * d[i];
}

int main(int count, char **arguments) {
  int steps = count > 1 ? atoi(arguments[1]) : 20000;
  for (int i = 0; i < V * E; i++) C[i] = next_weight(1.7f);
  for (int i = 0; i < I * H; i++) W1[i] = next_weight(.5f);
  for (int j = 0; j < H; j++)
    for (int v = 0; v < V; v++) W2[j * VP + v] = next_weight(.17f);
  for (int j = 0; j < H; j++) bngain[j] = 1.f;
  for (int round = 0; round < 3; round++) {
    struct timespec start, end;
    float loss = 0;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int s = 0; s < steps; s++) {
      for (int i = 0; i < B * T; i++) Xb[i] = next_random() % V;
      for (int i = 0; i < B; i++) Yb[i] = (Xb[i * T] * 7 + 1) % V;
      loss = forward();
      backward();
      update(C, dC, V * E, .1f);
      update(W1, dW1, I * H, .1f);
      update(b1, db1, H, .1f);
      update(bngain, dbngain, H, .1f);
      update(bnbias, dbnbias, H, .1f);
      update(W2, dW2, H * VP, .1f);
      update(b2, db2, VP, .1f);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (end.tv_sec - start.tv_sec) + 1e-9 * (end.tv_nsec - start.tv_nsec);
    printf("%.2f us/step, loss %f\n", 1e6 * seconds / steps, loss);
  }
}

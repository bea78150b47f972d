// The lesson's network and its gradients in plain C, float32, on one or several threads: a baseline for the kernels. Straightforward tiled
// loops, vectorised by the compiler.
//   gcc -O3 -march=native -ffast-math -pthread -DH=200 -DB=32 -DTHREADS=2 step.c -o step -lm && echo 20000 20000 20000 | ./step
// An argument names a problem file (peers/problem.ts) with parameters and examples; without it, they are random. The program prints the loss of
// the first batch, the norm of its gradient and the loss after one update; then, for each number of steps in its input, the microseconds per step.
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
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
#ifndef THREADS
#define THREADS 1
#endif
enum { V = 27, E = 10, T = 3, I = T * E, VP = 32, IP = 32 };  // rows of V and of I are padded to whole vectors
#define RATE .1f
#define LINE _Alignas(64)

LINE static float W1[I * H], b1[H], bngain[H], bnbias[H], W2[H * VP], b2[VP];
LINE static float dW1[I * H], db1[H], dbngain[H], dbnbias[H], dW2[H * VP], db2[VP];
LINE static float emb[B * I], hprebn[B * H], bnraw[B * H], bnvar_inv[H], h[B * H], logits[B * VP], dlogits[B * VP];
LINE static float dh[B * H], demb[B * IP], W1t[H * IP], W2t[VP * H], mean[H], variance[H];
static int Xb[B * T], Yb[B];
static uint8_t *examples;  // [count,T+1]: contexts, each with its target
static int count;

// What each thread has of its own: random numbers, the loss and dC of its rows of the batch, and a copy of C.
typedef struct {
  LINE uint64_t state;
  float loss;
  LINE float dC[V * E], C[V * E];
} Own;
static Own own[THREADS];

static uint32_t next_random(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return *state >> 33;
}
static float next_weight(uint64_t *state, float scale) { return ((float)next_random(state) / 1073741824.f - 1.f) * scale; }

// Where the share of a part begins: an equal share of 0..size, to the nearest multiple of unit. It ends where that of the next part begins.
static inline int first_of(int part, int size, int unit) {
  return part == 0 ? 0 : part >= THREADS ? size : (2 * size * part / THREADS + unit) / (2 * unit) * unit;
}

// All threads meet here. Whoever waits spins, because a thread that sleeps wakes up late; from 20,000 turns on it lets others run.
static void meet(void) {
  LINE static atomic_int arrived;
  LINE static atomic_int meeting;
  if (THREADS == 1) return;
  int now = atomic_load_explicit(&meeting, memory_order_relaxed);
  if (atomic_fetch_add_explicit(&arrived, 1, memory_order_acq_rel) == THREADS - 1) {
    atomic_store_explicit(&arrived, 0, memory_order_relaxed);
    atomic_store_explicit(&meeting, now + 1, memory_order_release);
    return;
  }
  for (int turns = 0; atomic_load_explicit(&meeting, memory_order_acquire) == now; turns++)
    if (turns >= 20000) sched_yield();
}

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

static void update(float *restrict p, const float *restrict d, int size) {
  for (int i = 0; i < size; i++) p[i] -= RATE * d[i];
}

// A step as each thread does it: its columns j0 to j1 of the hidden layer, its rows i0 to i1 of the batch. It is called with the rows' contexts
// in Xb and their targets in Yb.
static inline __attribute__((always_inline)) void step(int part) {
  const int j0 = first_of(part, H, 32), j1 = first_of(part + 1, H, 32), columns = j1 - j0;
  const int i0 = first_of(part, B, 4), i1 = first_of(part + 1, B, 4), rows = i1 - i0;

  // Forward. Rows: emb.
  for (int r = i0 * T; r < i1 * T; r++) memcpy(emb + r * E, own[part].C + Xb[r] * E, sizeof(float) * E);
  meet();
  // Columns: hprebn, its moments, h.
  matmul(hprebn + j0, H, b1 + j0, emb, I, 1, W1 + j0, H, B, columns, I);
  for (int j = j0; j < j1; j++) mean[j] = variance[j] = 0.f;
  for (int i = 0; i < B; i++)
    for (int j = j0; j < j1; j++) mean[j] += hprebn[i * H + j] / B;
  for (int i = 0; i < B; i++)
    for (int j = j0; j < j1; j++) {
      float difference = hprebn[i * H + j] - mean[j];
      variance[j] += difference * difference;
    }
  for (int j = j0; j < j1; j++) bnvar_inv[j] = 1.f / sqrtf(variance[j] / (B - 1) + 1e-5f);
  for (int i = 0; i < B; i++)
    for (int j = j0; j < j1; j++) {
      float raw = (hprebn[i * H + j] - mean[j]) * bnvar_inv[j];
      bnraw[i * H + j] = raw;
      h[i * H + j] = fast_tanh(bngain[j] * raw + bnbias[j]);
    }
  meet();
  // Rows: logits, loss, dlogits.
  matmul(logits + i0 * VP, VP, b2, h + i0 * H, H, 1, W2, VP, rows, VP, H);
  float loss = 0;
  for (int i = i0; i < i1; i++) {
    const float *row = logits + i * VP;
    float *out = dlogits + i * VP, largest = row[0], sum = 0;
    for (int v = 1; v < V; v++) largest = row[v] > largest ? row[v] : largest;
    for (int v = 0; v < VP; v++) out[v] = v < V ? fast_exp(row[v] - largest) : 0.f;
    for (int v = 0; v < VP; v++) sum += out[v];
    for (int v = 0; v < VP; v++) out[v] /= sum * B;
    out[Yb[i]] -= 1.f / B;
    loss += (logf(sum) - row[Yb[i]] + largest) / B;
  }
  own[part].loss = loss;

  // Backward. Columns: W2t, dh, dW2, batch norm, dW1, W1t.
  for (int j = j0; j < j1; j++)
    for (int v = 0; v < VP; v++) W2t[v * H + j] = W2[j * VP + v];
  meet();
  matmul(dh + j0, H, 0, dlogits, VP, 1, W2t + j0, H, B, columns, V);
  matmul(dW2 + j0 * VP, VP, 0, h + j0, 1, H, dlogits, VP, columns, VP, B);
  for (int j = j0; j < j1; j++) dbngain[j] = dbnbias[j] = db1[j] = 0.f;
  for (int i = 0; i < B; i++)
    for (int j = j0; j < j1; j++) {
      float d = dh[i * H + j] * (1.f - h[i * H + j] * h[i * H + j]);
      dh[i * H + j] = d;
      dbnbias[j] += d;
      dbngain[j] += d * bnraw[i * H + j];
    }
  for (int i = 0; i < B; i++)
    for (int j = j0; j < j1; j++) {
      float d = bngain[j] * bnvar_inv[j] / B * (B * dh[i * H + j] - dbnbias[j] - (float)B / (B - 1) * bnraw[i * H + j] * dbngain[j]);
      dh[i * H + j] = d;
      db1[j] += d;
    }
  matmul(dW1 + j0, H, 0, emb, 1, I, dh + j0, H, I, columns, B);
  for (int i = 0; i < I; i++)
    for (int j = j0; j < j1; j++) W1t[j * IP + i] = W1[i * H + j];
  meet();
  // Rows: demb, and dC as a sum over these rows.
  matmul(demb + i0 * IP, IP, 0, dh + i0 * H, H, 1, W1t, IP, rows, IP, H);
  float *dC = own[part].dC;
  memset(dC, 0, sizeof own[part].dC);
  for (int i = i0; i < i1; i++)
    for (int t = 0; t < T; t++)
      for (int e = 0; e < E; e++) dC[Xb[i * T + t] * E + e] += demb[i * IP + t * E + e];

  // Update. Columns: everything but C, which each thread updates for itself, by the sum of all rows.
  for (int i = 0; i < I; i++) update(W1 + i * H + j0, dW1 + i * H + j0, columns);
  update(b1 + j0, db1 + j0, columns);
  update(bngain + j0, dbngain + j0, columns);
  update(bnbias + j0, dbnbias + j0, columns);
  update(W2 + j0 * VP, dW2 + j0 * VP, columns * VP);
  const int v0 = first_of(part, VP, 16), v1 = first_of(part + 1, VP, 16);
  for (int v = v0; v < v1; v++) db2[v] = 0.f;
  for (int i = 0; i < B; i++)
    for (int v = v0; v < v1; v++) db2[v] += dlogits[i * VP + v];
  update(b2 + v0, db2 + v0, v1 - v0);
  meet();
  for (int p = 0; p < THREADS; p++) update(own[part].C, own[p].dC, V * E);
}

static void take_example(int i, int example) {
  for (int t = 0; t < T; t++) Xb[i * T + t] = examples[example * (T + 1) + t];
  Yb[i] = examples[example * (T + 1) + T];
}

// Steps to do; 0 for one step with the first B examples as its batch.
static int steps;

static void *work(void *argument) {
  const int part = THREADS == 1 ? 0 : (int)(intptr_t)argument;
  const int i0 = first_of(part, B, 4), i1 = first_of(part + 1, B, 4);
  for (int s = 0; s < (steps ? steps : 1); s++) {
    for (int i = i0; i < i1; i++) take_example(i, steps ? (int)((uint64_t)next_random(&own[part].state) * count >> 31) : i);
    step(part);
  }
  return 0;
}

// Does the steps on all threads. The helpers end before it returns, so that none spins while others are measured.
static void run(int number) {
  pthread_t helpers[THREADS];
  steps = number;
  for (int part = 1; part < THREADS; part++)
    if (pthread_create(&helpers[part], 0, work, (void *)(intptr_t)part)) exit(4);
  work(0);
  for (int part = 1; part < THREADS; part++) pthread_join(helpers[part], 0);
}

static double sum_of_squares(const float *d, int size) {
  double sum = 0;
  for (int i = 0; i < size; i++) sum += (double)d[i] * d[i];
  return sum;
}

static float loss(void) {
  float sum = 0;
  for (int p = 0; p < THREADS; p++) sum += own[p].loss;
  return sum;
}

// The norm of all gradients together.
static double norm(void) {
  float dC[V * E] = {0};
  for (int p = 0; p < THREADS; p++)
    for (int i = 0; i < V * E; i++) dC[i] += own[p].dC[i];
  return sqrt(sum_of_squares(dC, V * E) + sum_of_squares(dW1, I * H) + sum_of_squares(db1, H) + sum_of_squares(dbngain, H) +
              sum_of_squares(dbnbias, H) + sum_of_squares(dW2, H * VP) + sum_of_squares(db2, VP));
}

static void draw_problem(void) {
  uint64_t state = 2147483647;
  for (int i = 0; i < V * E; i++) own[0].C[i] = next_weight(&state, 1.7f);
  for (int i = 0; i < I * H; i++) W1[i] = next_weight(&state, .5f);
  for (int j = 0; j < H; j++) bngain[j] = 1.f;
  for (int j = 0; j < H; j++)
    for (int v = 0; v < V; v++) W2[j * VP + v] = next_weight(&state, .17f);
  count = 1 << 16;
  examples = malloc((size_t)count * (T + 1));
  for (int i = 0; i < count * (T + 1); i++) examples[i] = next_random(&state) % V;
}

static void read_into(void *out, size_t bytes, FILE *file) {
  if (fread(out, 1, bytes, file) == bytes) return;
  fprintf(stderr, "the problem file is too short\n");
  exit(3);
}

static void read_problem(const char *path) {
  FILE *file = fopen(path, "rb");
  int sizes[6];
  if (!file) exit(4);
  read_into(sizes, sizeof sizes, file);
  if (sizes[0] != H || sizes[1] != B || sizes[2] != V || sizes[3] != E || sizes[4] != T) {
    fprintf(stderr, "the problem file is of another network\n");
    exit(3);
  }
  count = sizes[5];
  read_into(own[0].C, sizeof own[0].C, file);
  read_into(W1, sizeof W1, file);
  read_into(b1, sizeof b1, file);
  read_into(bngain, sizeof bngain, file);
  read_into(bnbias, sizeof bnbias, file);
  for (int j = 0; j < H; j++) read_into(W2 + j * VP, sizeof(float) * V, file);
  read_into(b2, sizeof(float) * V, file);
  examples = malloc((size_t)count * (T + 1));
  read_into(examples, (size_t)count * (T + 1), file);
  fclose(file);
}

int main(int arguments, char **argument) {
  if (arguments > 1) read_problem(argument[1]);
  else draw_problem();
  for (int p = 0; p < THREADS; p++) {
    own[p].state = p + 1;
    if (p > 0) memcpy(own[p].C, own[0].C, sizeof own[0].C);
  }
  run(0);
  float first = loss();
  double length = norm();
  run(0);
  printf("loss %.9g, norm %.9g, updated %.9g\n", first, length, loss());
  fflush(stdout);
  for (int number; scanf("%d", &number) == 1;) {
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    run(number);
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (end.tv_sec - start.tv_sec) + 1e-9 * (end.tv_nsec - start.tv_nsec);
    printf("%.3f us/step\n", 1e6 * seconds / number);
    fflush(stdout);
  }
}

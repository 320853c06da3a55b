// SPDX-License-Identifier: Apache-2.0
// Matrix products by oneDNN: its packed f32 product, and bf16 matmul primitives that are kept per shape.
#include "backends/cpu/matrix_product.h"

#ifdef SCROOGE_HAVE_ONEDNN

#include <oneapi/dnnl/dnnl.h>
#include <signal.h>

#include <array>
#include <map>
#include <mutex>
#include <vector>

#include "src/base/spare_memory.h"

// The OpenMP run-time that oneDNN threads with; both act on the calling thread only.
extern "C" void omp_set_num_threads(int);
extern "C" int omp_get_max_threads(void);

namespace scrooge::backend::cpu {
namespace {

// What holds around every call. oneDNN never threads: the pool's workers do, one product each. And signals wait:
// kernels that oneDNN generates (2.6: f32 with a transposed left side) keep data below the stack pointer, further than
// the ABI lets them, where the frame of a signal handler of the host program would overwrite it. What the host program
// had set for its own thread is put back.
class CallGuard {
 public:
  CallGuard() : threads_(omp_get_max_threads()) {
    if (threads_ != 1) omp_set_num_threads(1);
    sigset_t blocked;
    sigfillset(&blocked);
    // Those that report a fault of this very thread cannot wait.
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) sigdelset(&blocked, fault);
    (void)pthread_sigmask(SIG_BLOCK, &blocked, &signals_);
  }
  ~CallGuard() {
    (void)pthread_sigmask(SIG_SETMASK, &signals_, nullptr);
    if (threads_ != 1) omp_set_num_threads(threads_);
  }
  CallGuard(const CallGuard&) = delete;
  CallGuard& operator=(const CallGuard&) = delete;

 private:
  const int threads_;
  sigset_t signals_;
};

Status onednn_status(dnnl_status_t code, const char* call) {
  if (code == dnnl_success) return {};
  if (code == dnnl_out_of_memory) {
    return error(StatusCode::kOutOfMemory, "oneDNN ", call, ": the system refused memory; close other programs");
  }
  return error(StatusCode::kInternal, "oneDNN ", call, " failed with status ", static_cast<int>(code),
               "; build with SCROOGE_WITH_ONEDNN=OFF to do without it");
}

#define SCROOGE_ONEDNN(call, arguments) SCROOGE_RETURN_IF_ERROR(onednn_status(call arguments, #call))

// A matmul for one shape, with everything its calls share. Scratchpads are ours, so executing it changes nothing in it
// and several threads may.
struct Matmul {
  Matmul() = default;
  Matmul(const Matmul&) = delete;
  Matmul& operator=(const Matmul&) = delete;
  ~Matmul() {
    if (primitive != nullptr) dnnl_primitive_destroy(primitive);
    if (descriptor != nullptr) dnnl_primitive_desc_destroy(descriptor);
    if (attributes != nullptr) dnnl_primitive_attr_destroy(attributes);
  }

  dnnl_memory_desc_t a, b, c;
  dnnl_memory_desc_t scratchpad;
  uint64_t scratchpad_bytes = 0;
  dnnl_primitive_attr_t attributes = nullptr;
  dnnl_primitive_desc_t descriptor = nullptr;
  dnnl_primitive_t primitive = nullptr;
};

// Memory objects of one call.
struct Arguments {
  Arguments() = default;
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;
  ~Arguments() {
    for (size_t i = 0; i < count; ++i) dnnl_memory_destroy(list[i].memory);
  }
  Status add(int which, const dnnl_memory_desc_t& layout, dnnl_engine_t engine, const void* data) {
    dnnl_memory_t memory = nullptr;
    SCROOGE_ONEDNN(dnnl_memory_create, (&memory, &layout, engine, const_cast<void*>(data)));
    list[count++] = {which, memory};
    return {};
  }
  std::array<dnnl_exec_arg_t, 4> list{};
  size_t count = 0;
};

// More than the code that oneDNN generates for a product takes (1.5 MiB a kernel seen), and what it packs for one.
constexpr size_t kSpareBytes = size_t{8} << 20;

class OnednnProduct final : public MatrixProduct {
 public:
  OnednnProduct(MemoryBudget& budget, int workers, bool bf16)
      : budget_(budget), bf16_(bf16), scratchpads_(static_cast<size_t>(workers)) {}
  ~OnednnProduct() override {
    matmuls_.clear();
    if (stream_ != nullptr) dnnl_stream_destroy(stream_);
    if (engine_ != nullptr) dnnl_engine_destroy(engine_);
  }

  Status open() {
    SCROOGE_RETURN_IF_ERROR(check_spare_memory("oneDNN"));
    SCROOGE_ONEDNN(dnnl_engine_create, (&engine_, dnnl_cpu, 0));
    SCROOGE_ONEDNN(dnnl_stream_create, (&stream_, engine_, dnnl_stream_default_flags));
    return {};
  }

  std::string_view name() const override { return "onednn"; }
  bool has_bf16() const override { return bf16_; }

  // oneDNN writes through null where memory of its own is refused.
  Status multiply(const Product& p) override {
    SCROOGE_RETURN_IF_ERROR(check_spare_memory("oneDNN", kSpareBytes));
    const CallGuard guard;
    return onednn_status(dnnl_sgemm(p.transpose_a ? 'T' : 'N', p.transpose_b ? 'T' : 'N', p.m, p.n, p.k, p.alpha, p.a,
                                    p.lda, p.b, p.ldb, p.beta, p.c, p.ldc),
                         "dnnl_sgemm");
  }

  Status multiply_bf16(const Bf16Product& p, int worker) override {
    SCROOGE_RETURN_IF_ERROR(check_spare_memory("oneDNN"));
    const CallGuard guard;
    SCROOGE_ASSIGN_OR_RETURN(const std::shared_ptr<Matmul> matmul, find(p));
    SCROOGE_ASSIGN_OR_RETURN(std::byte* const scratchpad, scratchpad_for(worker, matmul->scratchpad_bytes));
    Arguments arguments;
    SCROOGE_RETURN_IF_ERROR(arguments.add(DNNL_ARG_SRC, matmul->a, engine_, p.a));
    SCROOGE_RETURN_IF_ERROR(arguments.add(DNNL_ARG_WEIGHTS, matmul->b, engine_, p.b));
    SCROOGE_RETURN_IF_ERROR(arguments.add(DNNL_ARG_DST, matmul->c, engine_, p.c));
    if (matmul->scratchpad_bytes != 0) {
      SCROOGE_RETURN_IF_ERROR(arguments.add(DNNL_ARG_SCRATCHPAD, matmul->scratchpad, engine_, scratchpad));
    }
    SCROOGE_ONEDNN(dnnl_primitive_execute,
                   (matmul->primitive, stream_, static_cast<int>(arguments.count), arguments.list.data()));
    return {};
  }

 private:
  using Key = std::array<int64_t, 9>;
  // Shapes come from one model at a time, a few dozen; a job that passes the bound starts the cache over.
  static constexpr size_t kMaxMatmuls = 96;

  Result<std::shared_ptr<Matmul>> find(const Bf16Product& p) {
    const Key key{p.m, p.n, p.k, p.lda, p.ldb, p.ldc, p.transpose_a, p.transpose_b, p.beta != 0};
    const std::lock_guard lock(mutex_);
    if (const auto found = matmuls_.find(key); found != matmuls_.end()) return found->second;
    auto matmul = std::make_shared<Matmul>();
    SCROOGE_RETURN_IF_ERROR(build(p, *matmul));
    if (matmuls_.size() >= kMaxMatmuls) matmuls_.clear();
    matmuls_.emplace(key, matmul);
    return matmul;
  }

  Status build(const Bf16Product& p, Matmul& matmul) {
    SCROOGE_RETURN_IF_ERROR(check_spare_memory("oneDNN", kSpareBytes));
    const dnnl_dims_t dims_a = {p.m, p.k}, dims_b = {p.k, p.n}, dims_c = {p.m, p.n};
    const dnnl_dims_t strides_a = {p.transpose_a ? 1 : p.lda, p.transpose_a ? p.lda : 1};
    const dnnl_dims_t strides_b = {p.transpose_b ? 1 : p.ldb, p.transpose_b ? p.ldb : 1};
    const dnnl_dims_t strides_c = {p.ldc, 1};
    SCROOGE_ONEDNN(dnnl_memory_desc_init_by_strides, (&matmul.a, 2, dims_a, dnnl_bf16, strides_a));
    SCROOGE_ONEDNN(dnnl_memory_desc_init_by_strides, (&matmul.b, 2, dims_b, dnnl_bf16, strides_b));
    SCROOGE_ONEDNN(dnnl_memory_desc_init_by_strides, (&matmul.c, 2, dims_c, dnnl_f32, strides_c));
    dnnl_matmul_desc_t operation;
    SCROOGE_ONEDNN(dnnl_matmul_desc_init, (&operation, &matmul.a, &matmul.b, nullptr, &matmul.c));
    SCROOGE_ONEDNN(dnnl_primitive_attr_create, (&matmul.attributes));
    SCROOGE_ONEDNN(dnnl_primitive_attr_set_scratchpad_mode, (matmul.attributes, dnnl_scratchpad_mode_user));
    if (p.beta != 0) {
      dnnl_post_ops_t after = nullptr;
      SCROOGE_ONEDNN(dnnl_post_ops_create, (&after));
      dnnl_status_t code = dnnl_post_ops_append_sum(after, 1.0f);
      if (code == dnnl_success) code = dnnl_primitive_attr_set_post_ops(matmul.attributes, after);
      dnnl_post_ops_destroy(after);
      SCROOGE_RETURN_IF_ERROR(onednn_status(code, "dnnl_post_ops_append_sum"));
    }
    SCROOGE_ONEDNN(dnnl_primitive_desc_create, (&matmul.descriptor, &operation, matmul.attributes, engine_, nullptr));
    matmul.scratchpad = *dnnl_primitive_desc_query_md(matmul.descriptor, dnnl_query_scratchpad_md, 0);
    matmul.scratchpad_bytes = dnnl_memory_desc_get_size(&matmul.scratchpad);
    SCROOGE_ONEDNN(dnnl_primitive_create, (&matmul.primitive, matmul.descriptor));
    return {};
  }

  // Grows under the lock: the budget's allocator is called by one thread at a time.
  Result<std::byte*> scratchpad_for(int worker, uint64_t bytes) {
    HostBlock& block = scratchpads_[static_cast<size_t>(worker)];
    if (block.size() < bytes) {
      const std::lock_guard lock(mutex_);
      block.reset();
      SCROOGE_ASSIGN_OR_RETURN(block, budget_.allocate(bytes, "scratchpad of a bf16 matrix product"));
    }
    return block.data();
  }

  MemoryBudget& budget_;
  const bool bf16_;
  dnnl_engine_t engine_ = nullptr;
  dnnl_stream_t stream_ = nullptr;
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<Matmul>> matmuls_;
  std::vector<HostBlock> scratchpads_;
};

}  // namespace

Result<std::unique_ptr<MatrixProduct>> make_onednn_product(MemoryBudget& budget, int workers, bool avx2, bool bf16) {
  if (!avx2) return std::unique_ptr<MatrixProduct>();
  auto product = std::make_unique<OnednnProduct>(budget, workers, bf16);
  SCROOGE_RETURN_IF_ERROR(product->open());
  return std::unique_ptr<MatrixProduct>(std::move(product));
}

}  // namespace scrooge::backend::cpu

#else

namespace scrooge::backend::cpu {

Result<std::unique_ptr<MatrixProduct>> make_onednn_product(MemoryBudget&, int, bool, bool) {
  return std::unique_ptr<MatrixProduct>();
}

}  // namespace scrooge::backend::cpu

#endif

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <poll.h>

#include "linearb/options.h"
#include "receiver/data_path.h"
#include "receiver/handover.h"
#include "receiver/injections.h"
#include "receiver/notice_ring.h"
#include "receiver/wake.h"

namespace linearb::receiver {

/// When a run is over. Asked by every data thread.
class RunEnd {
 public:
  /// After each batch.
  virtual bool is_reached() noexcept = 0;
  /// At each tick.
  virtual bool is_reached_at(std::uint64_t now_ns) noexcept = 0;

 protected:
  ~RunEnd() = default;
};

/// A data path with what its thread needs to run it, and what others need to reach it while it
/// does: changes, injected packets, notices, a wake.
class DataThread {
 public:
  struct Parts {
    /// Without notices and injections: these are the thread's own.
    DataPath::Parts path;
    Wait wait = Wait::poll;
    std::function<void()>
        wake_teller;  ///< gets who reads the notices out of its sleep; may be empty
  };

  /// Throws Error.
  explicit DataThread(const Parts& parts);
  DataThread(const DataThread&) = delete;
  DataThread& operator=(const DataThread&) = delete;

  DataPath& path() noexcept { return path_; }
  const DataPath& path() const noexcept { return path_; }
  NoticeRing& notices() noexcept { return notices_; }
  Injections& injections() noexcept { return injections_; }

  /// Before it runs, what it begins with; from then on the thread itself does. False when it is not
  /// time yet (DataPath::carry_out).
  bool carry_out(Change& change) noexcept;

  // ---- the thread that runs it ----

  /// Receives until the end is reached.
  void receive_until(RunEnd& end) noexcept;
  /// One look at everything, without a wait.
  void receive_once() noexcept;
  /// For a moment, or until something comes.
  void wait_briefly() noexcept;

  // ---- any other ----

  /// Waits until the change is carried out. False when there are to be none any more; then nothing
  /// of it was done.
  bool request(Change& change) noexcept {
    return handover_.request(change, [this] { wake(); });
  }
  /// No change is carried out from here on.
  void end_requests() noexcept { handover_.end(); }
  /// Gets the thread out of its wait. Safe from a signal handler.
  void wake() const noexcept { wake_.up(); }

 private:
  void carry_out_what_is_asked() noexcept;
  void wait() noexcept;
  void tick_if_due(std::uint64_t now_ns) noexcept;

  Injections injections_;
  NoticeRing notices_;
  DataPath path_;
  const Wait wait_;
  Handover handover_;
  Wake wake_;
  std::vector<pollfd> poll_;
  std::uint64_t next_tick_ns_ = 0;
};

/// In the order of their numbers.
using DataThreads = std::vector<std::unique_ptr<DataThread>>;

/// Of each thread its change, one after the other. False when there are to be none any more.
inline bool request(const DataThreads& threads, std::vector<Change>& changes) noexcept {
  for (std::size_t i = 0; i < threads.size(); ++i)
    if (!threads[i]->request(changes[i])) return false;
  return true;
}

}  // namespace linearb::receiver

#include "hodo/workflow/om2vec/event_shards.hh"

#include "hodo/io/parquet.hh"
#include "hodo/workflow/shard.hh"

namespace hodo::om2vec {

namespace {

bool has_rows_of_events(const base::Path& file, const optical::ReadOptions& read) {
    const auto layout = optical::event_layout(file, read);
    return layout == optical::EventLayout::prometheus ||
           layout == optical::EventLayout::prometheus_total;
}

}  // namespace

std::vector<optical::EventRange> events_of_shard(const std::vector<base::Path>& files,
                                                 const optical::ReadOptions& read,
                                                 const workflow::Shard& shard) {
    std::vector<workflow::Extent> extents;
    std::vector<bool> can_be_cut;
    for (const auto& file : files) {
        const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(file));
        can_be_cut.push_back(has_rows_of_events(file, read));
        extents.push_back({can_be_cut.back() ? io::parquet_schema(file).rows : 1, bytes});
    }
    std::vector<optical::EventRange> events;
    for (const auto& range : workflow::share_of(extents, shard)) {
        if (can_be_cut[static_cast<std::size_t>(range.item)]) {
            events.push_back({range.item, range.begin, range.end});
        } else {
            events.push_back({.file = range.item});
        }
    }
    return events;
}

}  // namespace hodo::om2vec

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
    std::vector<std::int64_t> bytes;
    for (const auto& file : files) {
        bytes.push_back(static_cast<std::int64_t>(std::filesystem::file_size(file)));
    }
    const auto units = [&](std::int64_t item) -> std::int64_t {
        const auto& file = files[static_cast<std::size_t>(item)];
        return has_rows_of_events(file, read) ? io::parquet_schema(file).rows : 1;
    };
    std::vector<optical::EventRange> events;
    for (const auto& range : workflow::share_of(bytes, units, shard)) {
        events.push_back({range.item, range.begin, range.end});
    }
    return events;
}

}  // namespace hodo::om2vec

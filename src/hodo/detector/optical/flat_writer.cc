#include "hodo/detector/optical/flat_writer.hh"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "hodo/base/error.hh"
#include "hodo/io/parquet.hh"

namespace hodo::optical {

namespace {

using io::ColumnType;

bool is_lepton(const Particle& particle) {
    const std::int64_t code = std::abs(particle.type);
    return code >= 11 && code <= 16;
}

const Particle* lepton_of(const Truth& truth) {
    const auto found = std::find_if(truth.final_state.begin(), truth.final_state.end(), is_lepton);
    return found == truth.final_state.end() ? nullptr : &*found;
}

/// Everything but the lepton as one particle.
std::optional<Particle> hadrons_of(const Truth& truth) {
    const Particle* lepton = lepton_of(truth);
    std::optional<Particle> sum;
    double largest = -1;
    double energy = 0;
    for (const Particle& particle : truth.final_state) {
        if (&particle == lepton) continue;
        energy += particle.energy;
        if (particle.energy > largest) {
            largest = particle.energy;
            sum = particle;
        }
    }
    if (sum) sum->energy = energy;
    return sum;
}

using Field = double (*)(const Particle&);
constexpr std::pair<const char*, Field> particle_fields[] = {
    {"position_x", [](const Particle& p) { return p.position[0]; }},
    {"position_y", [](const Particle& p) { return p.position[1]; }},
    {"position_z", [](const Particle& p) { return p.position[2]; }},
    {"direction_theta", [](const Particle& p) { return p.zenith; }},
    {"direction_phi", [](const Particle& p) { return p.azimuth; }},
    {"energy", [](const Particle& p) { return p.energy; }},
};

constexpr double absent = std::numeric_limits<double>::quiet_NaN();

std::vector<io::Column> truth_columns(const std::vector<Truth>& truths) {
    std::vector<io::Column> columns;
    const auto number = [&](std::string name, const auto& get) {
        std::vector<double> values;
        for (const Truth& truth : truths) values.push_back(get(truth));
        columns.push_back({{std::move(name), ColumnType::f64, 0}, {}, std::move(values)});
    };
    const auto whole = [&](std::string name, const auto& get) {
        std::vector<std::int64_t> values;
        for (const Truth& truth : truths) values.push_back(get(truth));
        columns.push_back({{std::move(name), ColumnType::i64, 0}, {}, std::move(values)});
    };
    number("injection_energy", [](const Truth& t) { return t.initial.energy; });
    whole("injection_type", [](const Truth& t) { return t.initial.type; });
    whole("injection_interaction_type", [](const Truth& t) { return t.interaction; });
    number("injection_zenith", [](const Truth& t) { return t.initial.zenith; });
    number("injection_azimuth", [](const Truth& t) { return t.initial.azimuth; });
    number("injection_bjorkenx", [](const Truth& t) { return t.bjorken_x; });
    number("injection_bjorkeny", [](const Truth& t) { return t.bjorken_y; });
    number("injection_position_x", [](const Truth& t) { return t.initial.position[0]; });
    number("injection_position_y", [](const Truth& t) { return t.initial.position[1]; });
    number("injection_position_z", [](const Truth& t) { return t.initial.position[2]; });
    number("injection_column_depth", [](const Truth& t) { return t.column_depth; });
    whole("primary_lepton_1_type", [](const Truth& t) {
        const Particle* lepton = lepton_of(t);
        return lepton ? lepton->type : 0;
    });
    whole("primary_hadron_1_type", [](const Truth& t) {
        const auto hadrons = hadrons_of(t);
        return hadrons ? hadrons->type : 0;
    });
    for (const auto& [name, get] : particle_fields) {
        number(std::string("primary_lepton_1_") + name, [get = get](const Truth& t) {
            const Particle* lepton = lepton_of(t);
            return lepton ? get(*lepton) : absent;
        });
        number(std::string("primary_hadron_1_") + name, [get = get](const Truth& t) {
            const auto hadrons = hadrons_of(t);
            return hadrons ? get(*hadrons) : absent;
        });
    }
    number("total_energy", [](const Truth& t) {
        double sum = 0;
        for (const Particle& particle : t.final_state) sum += particle.energy;
        return sum;
    });
    return columns;
}

io::Column event_numbers(std::vector<std::int64_t> numbers) {
    return {{"event_no", ColumnType::i64, 0}, {}, std::move(numbers)};
}

/// Events [begin, end) as truth rows; `first` is the number of event `begin`.
io::Chunk truth_chunk(const Events& events, std::int64_t begin, std::int64_t end,
                      std::int64_t first) {
    io::Chunk chunk;
    chunk.rows = end - begin;
    chunk.columns = truth_columns({events.truth.begin() + begin, events.truth.begin() + end});
    std::vector<std::int64_t> numbers;
    for (std::int64_t e = begin; e < end; ++e) numbers.push_back(first + e - begin);
    chunk.columns.push_back(event_numbers(std::move(numbers)));
    return chunk;
}

io::Chunk photon_chunk(const Events& events, std::int64_t begin, std::int64_t end,
                       std::int64_t first, bool with_charge) {
    const std::int64_t low = events.offsets[static_cast<std::size_t>(begin)];
    const std::int64_t high = events.offsets[static_cast<std::size_t>(end)];
    io::Chunk chunk;
    chunk.rows = high - low;
    const auto add = [&](const char* name, ColumnType type, const auto& values) {
        std::decay_t<decltype(values)> part;
        if (low < high) part.assign(values.begin() + low, values.begin() + high);
        chunk.columns.push_back({{name, type, 0}, {}, std::move(part)});
    };
    add("sensor_id", ColumnType::i64, events.sensor);
    add("sensor_pos_x", ColumnType::f64, events.x);
    add("sensor_pos_y", ColumnType::f64, events.y);
    add("sensor_pos_z", ColumnType::f64, events.z);
    add("sensor_string_id", ColumnType::i64, events.string);
    add("t", ColumnType::f64, events.time);
    if (with_charge) add("charge", ColumnType::f64, events.weight);
    std::vector<std::int64_t> numbers;
    for (std::int64_t e = begin; e < end; ++e) {
        const auto k = static_cast<std::size_t>(e);
        numbers.insert(numbers.end(),
                       static_cast<std::size_t>(events.offsets[k + 1] - events.offsets[k]),
                       first + e - begin);
    }
    chunk.columns.push_back(event_numbers(std::move(numbers)));
    return chunk;
}

std::vector<io::ColumnSpec> specs_of(const io::Chunk& chunk) {
    std::vector<io::ColumnSpec> specs;
    for (const auto& column : chunk.columns) specs.push_back(column.spec);
    return specs;
}

}  // namespace

class FlatEventWriter::Body {
  public:
    Body(base::Path directory, FlatWriteOptions options)
        : directory_(std::move(directory)), options_(options), next_(options.first_event) {
        HODO_DOOR(options.events_per_file >= 1);
    }

    void append(const Events& events) {
        HODO_DOOR(static_cast<std::int64_t>(events.truth.size()) == events.size());
        if (!with_charge_) with_charge_ = !events.weight.empty();
        HODO_DOOR(events.photons() == 0 || events.weight.empty() != *with_charge_);
        for (std::int64_t begin = 0; begin < events.size();) {
            open();
            const std::int64_t room = options_.events_per_file - truth_->rows();
            const std::int64_t end =
                std::min(events.size(), begin + std::min(room, std::int64_t{256}));
            truth_->append(truth_chunk(events, begin, end, next_));
            const io::Chunk photons = photon_chunk(events, begin, end, next_, charge());
            if (photons.rows > 0) photons_->append(photons);
            next_ += end - begin;
            begin = end;
            if (truth_->rows() == options_.events_per_file) close();
        }
    }

    std::vector<base::Path> finish() {
        if (files_.empty()) open();  // no events: files without rows
        close();
        return files_;
    }

  private:
    bool charge() const { return with_charge_.value_or(false); }
    void open() {
        if (photons_) return;
        const auto file = [&](const char* name) {
            return directory_ / name / base::format("{}_{}.parquet", name, files_.size());
        };
        const base::Path photons = file("total");
        truth_.emplace(file("mc_truth"), specs_of(truth_chunk(Events{}, 0, 0, 0)));
        photons_.emplace(photons, specs_of(photon_chunk(Events{}, 0, 0, 0, charge())));
        files_.push_back(photons);
    }
    void close() {
        if (!photons_) return;
        truth_->finish();
        photons_->finish();
        truth_.reset();
        photons_.reset();
    }

    base::Path directory_;
    FlatWriteOptions options_;
    std::int64_t next_;
    std::optional<bool> with_charge_;
    std::optional<io::ParquetWriter> truth_, photons_;
    std::vector<base::Path> files_;
};

FlatEventWriter::FlatEventWriter(base::Path directory, FlatWriteOptions options)
    : body_(std::make_unique<Body>(std::move(directory), options)) {}
FlatEventWriter::~FlatEventWriter() = default;
void FlatEventWriter::append(const Events& events) {
    body_->append(events);
}
std::vector<base::Path> FlatEventWriter::finish() {
    return body_->finish();
}

}  // namespace hodo::optical

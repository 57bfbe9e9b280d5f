#include "hodo/detector/optical/detail/truth_columns.hh"

#include <cmath>

#include "hodo/base/error.hh"

namespace hodo::optical::detail {

namespace {

constexpr double not_known = std::numeric_limits<double>::quiet_NaN();

double value_at(const std::vector<double>& values, std::int64_t index, double otherwise) {
    return values.empty() ? otherwise : values[static_cast<std::size_t>(index)];
}

std::int64_t whole_at(const std::vector<double>& values, std::int64_t index) {
    const double value = value_at(values, index, 0.0);
    return std::abs(value) < 9e18 ? static_cast<std::int64_t>(value) : 0;
}

std::vector<double> read_scalars(const io::Chunk& chunk, const std::string& name,
                                 const base::Path& origin) {
    if (name.empty()) return {};
    const io::Column& column = chunk.column(name);
    HODO_CHECK(column.spec.list_levels == 0,
               "{}: column '{}' holds lists; one number per event is expected", origin, name);
    return column.to_doubles();
}

}  // namespace

Particle TruthRows::particle(const ParticleColumns& columns, std::int64_t index) const {
    Particle p;
    p.type = whole_at(columns.type, index);
    p.energy = value_at(columns.energy, index, not_known);
    p.zenith = value_at(columns.zenith, index, not_known);
    p.azimuth = value_at(columns.azimuth, index, not_known);
    p.position = {value_at(columns.x, index, not_known), value_at(columns.y, index, not_known),
                  value_at(columns.z, index, not_known)};
    p.parent = whole_at(columns.parent, index);
    return p;
}

Truth TruthRows::at(std::int64_t row) const {
    Truth truth;
    truth.interaction = whole_at(interaction_, row);
    truth.initial = particle(initial_, row);
    truth.bjorken_x = value_at(bjorken_x_, row, not_known);
    truth.bjorken_y = value_at(bjorken_y_, row, not_known);
    truth.column_depth = value_at(column_depth_, row, not_known);
    for (const ParticleColumns& columns : single_) {
        truth.final_state.push_back(particle(columns, row));
    }
    if (!listed_offsets_.empty()) {
        const auto r = static_cast<std::size_t>(row);
        for (auto i = listed_offsets_[r]; i < listed_offsets_[r + 1]; ++i) {
            truth.final_state.push_back(particle(listed_, i));
        }
    }
    return truth;
}

bool TruthColumns::ParticleNames::any() const {
    return !type.empty() || !energy.empty();
}

std::string TruthColumns::known(const io::TableSchema& schema,
                                std::initializer_list<const char*> candidates) {
    for (const char* candidate : candidates) {
        const std::string name = prefix_ + candidate;
        if (!schema.has(name)) continue;
        names_.push_back(name);
        return name;
    }
    return {};
}

void TruthColumns::look_for_final_state(const io::TableSchema& schema) {
    listed_.type = known(schema, {"final_state_type"});
    listed_.energy = known(schema, {"final_state_energy"});
    listed_.zenith = known(schema, {"final_state_zenith"});
    listed_.azimuth = known(schema, {"final_state_azimuth"});
    listed_.x = known(schema, {"final_state_x"});
    listed_.y = known(schema, {"final_state_y"});
    listed_.z = known(schema, {"final_state_z"});
    listed_.parent = known(schema, {"final_state_parent"});
    for (const std::string particle : {"primary_lepton_1_", "primary_hadron_1_"}) {
        const auto field = [&](const char* name) {
            return known(schema, {(particle + name).c_str()});
        };
        ParticleNames names;
        names.type = field("type");
        names.energy = field("energy");
        names.zenith = field("direction_theta");
        names.azimuth = field("direction_phi");
        names.x = field("position_x");
        names.y = field("position_y");
        names.z = field("position_z");
        if (names.any()) single_.push_back(names);
    }
}

TruthColumns::TruthColumns(const io::TableSchema& schema, const std::string& prefix)
    : prefix_(prefix) {
    interaction_ = known(schema, {"interaction", "injection_interaction_type"});
    bjorken_x_ = known(schema, {"bjorken_x", "injection_bjorkenx"});
    bjorken_y_ = known(schema, {"bjorken_y", "injection_bjorkeny"});
    column_depth_ = known(schema, {"column_depth", "injection_column_depth"});
    initial_.type = known(schema, {"initial_state_type", "injection_type"});
    initial_.energy = known(schema, {"initial_state_energy", "injection_energy"});
    initial_.zenith = known(schema, {"initial_state_zenith", "injection_zenith"});
    initial_.azimuth = known(schema, {"initial_state_azimuth", "injection_azimuth"});
    initial_.x = known(schema, {"initial_state_x", "injection_position_x"});
    initial_.y = known(schema, {"initial_state_y", "injection_position_y"});
    initial_.z = known(schema, {"initial_state_z", "injection_position_z"});
    look_for_final_state(schema);
}

TruthRows TruthColumns::read(const io::Chunk& chunk, const base::Path& origin) const {
    TruthRows rows;
    rows.rows_ = chunk.rows;
    const auto scalars = [&](const std::string& name) { return read_scalars(chunk, name, origin); };
    const auto lists = [&](const std::string& name) -> std::vector<double> {
        if (name.empty()) return {};
        const io::Column& column = chunk.column(name);
        HODO_CHECK(column.spec.list_levels == 1,
                   "{}: column '{}' must hold a list of numbers per event", origin, name);
        if (rows.listed_offsets_.empty()) rows.listed_offsets_ = column.offsets[0];
        for (std::int64_t r = 0; r <= chunk.rows; ++r) {
            const auto k = static_cast<std::size_t>(r);
            HODO_CHECK(column.offsets[0][k] == rows.listed_offsets_[k],
                       "{}: event {}: the list '{}' has another length than the other lists of "
                       "final-state particles",
                       origin, chunk.first_row + r - 1, name);
        }
        return column.to_doubles();
    };
    const auto particle = [](const ParticleNames& n, const auto& get) {
        return TruthRows::ParticleColumns{get(n.type), get(n.energy), get(n.zenith), get(n.azimuth),
                                          get(n.x),    get(n.y),      get(n.z),      get(n.parent)};
    };
    rows.interaction_ = scalars(interaction_);
    rows.bjorken_x_ = scalars(bjorken_x_);
    rows.bjorken_y_ = scalars(bjorken_y_);
    rows.column_depth_ = scalars(column_depth_);
    rows.initial_ = particle(initial_, scalars);
    for (const ParticleNames& n : single_) rows.single_.push_back(particle(n, scalars));
    rows.listed_ = particle(listed_, lists);
    return rows;
}

}  // namespace hodo::optical::detail

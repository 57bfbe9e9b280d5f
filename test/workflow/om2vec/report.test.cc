#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>

#include "hodo/io/atomic_file.hh"
#include "hodo/io/json.hh"
#include "hodo/workflow/om2vec/options.hh"
#include "hodo/workflow/om2vec/verbs.hh"
#include "support/reference.hh"
#include "workflow/om2vec/evaluation_example.hh"

namespace hodo::om2vec {

namespace {

/// A run directory as training leaves it.
void write_run(const base::Path& run, bool with_validation = true) {
    TrainOptions options;
    io::write_text(run / "config.yaml", "workflow: om2vec\ntrain:\n" +
                                            base::options_yaml(options, base::Comments::no, 2));
    io::write_text(run / "run.json",
                   R"({"hodoscope": {"version": "9.8.7", "commit": "abc"}, "seed": 1,)"
                   R"("inputs": [{"path": "events.parquet", "bytes": 1234567}],)"
                   R"("sessions": [{"time": "2026-01-02T03:04:05Z", "host": "ship",)"
                   R"("command": "hodo om2vec train <x>", "threads": 2, "device": "cpu"}]})");
    std::string metrics = "step,epoch,set,loss,reco,kl,beta,js,gradient_norm\n";
    for (int step = 1; step <= 1000; ++step) {
        const double loss = 10.0 / step + 1.0;
        metrics += base::format("{},0,train,{},{},{},{},,0.5\n", step, loss, loss, 3.0, 1e-5);
        if (with_validation && step % 250 == 0) {
            metrics += base::format("{},0,valid,{},{},{},,{},\n", step, loss + 1, loss, 3.0, 0.5);
        }
    }
    io::write_text(run / "metrics.csv", metrics);
}

workflow::Job job_of(const base::Path& run) {
    workflow::Job job;
    job.workflow = "om2vec";
    job.verb = "report";
    job.config = base::Config("test");
    job.config.set("run", run.string());
    return job;
}

/// Error unless every element that is opened is closed, in order.
void expect_balanced(std::string_view html) {
    std::vector<std::string> open;
    std::size_t at = 0;
    while ((at = html.find('<', at)) != std::string_view::npos) {
        if (html.substr(at, 2) == "<!") {
            ++at;
            continue;
        }
        const auto end = html.find('>', at);
        ASSERT_NE(end, std::string_view::npos);
        const auto inside = html.substr(at + 1, end - at - 1);
        const auto name_end = inside.find_first_of(" \n\t/", 1);
        const std::string name(inside.substr(0, name_end));
        at = end + 1;
        static const std::vector<std::string> empty{"meta", "link", "br", "input",
                                                    "img",  "hr",   "col"};
        if (inside.back() == '/' || std::find(empty.begin(), empty.end(), name) != empty.end()) {
            continue;
        }
        if (name[0] == '/') {
            ASSERT_FALSE(open.empty());
            EXPECT_EQ("/" + open.back(), name);
            open.pop_back();
        } else if (name == "script" || name == "style") {
            at = html.find("</" + name, at);  // Their content is no HTML.
            ASSERT_NE(at, std::string_view::npos);
            at = html.find('>', at) + 1;
        } else {
            open.push_back(name);
        }
    }
    EXPECT_TRUE(open.empty());
}

io::Json report_numbers(const base::Path& run) {
    return io::Json::parse(io::read_text(run / "report.json"), "report.json");
}

}  // namespace

TEST(Report, shows_a_run_and_its_evaluation_as_one_page_with_the_same_numbers_as_json) {
    const test::TemporaryFolder folder;
    write_run(folder.path());
    const auto modules = test::example_modules(500);
    test::write_evaluation(folder / "evaluation", modules);
    run_report(job_of(folder.path()));

    const auto html = io::read_text(folder / "report.html");
    expect_balanced(html);
    for (const auto* heading : {"Run", "Training", "Quality", "Times", "Examples", "Latents"}) {
        EXPECT_THAT(html, testing::HasSubstr(base::format("{}</h2>", heading)));
    }
    EXPECT_THAT(html, testing::HasSubstr("hodo om2vec train &lt;x&gt;"));
    EXPECT_THAT(html, testing::HasSubstr("16 quantiles"));

    const auto numbers = report_numbers(folder.path()).at("numbers");
    const auto js = spread_of(modules.values("sampled", &CodeFigures::js));
    const auto& shown = numbers.at("median JS distance, sampled latent");
    EXPECT_DOUBLE_EQ(shown.at("value").number(), js.median);
    EXPECT_DOUBLE_EQ(shown.at("error").number(), js.error);
    EXPECT_EQ(numbers.at("latents used").at("value").number(), 6.0);
    EXPECT_NEAR(numbers.at("validation loss, last").at("value").number(), 2.01, 1e-9);
}

TEST(Report, saves_every_figure_as_picture_and_document) {
    const test::TemporaryFolder folder;
    write_run(folder.path());
    test::write_evaluation(folder / "evaluation", test::example_modules(100));
    run_report(job_of(folder.path()));
    for (const auto* name :
         {"training", "jensen_shannon", "jensen_shannon_coarse", "log_likelihood", "timing",
          "examples", "latent_spread", "latent_correlations", "latent_corner"}) {
        const auto stem = folder / "figures" / name;
        EXPECT_THAT(io::read_text(stem.string() + ".png"), testing::StartsWith("\x89PNG"));
        EXPECT_THAT(io::read_text(stem.string() + ".pdf"), testing::StartsWith("%PDF"));
    }
}

TEST(Report, warns_when_quantiles_are_the_better_code_and_only_then) {
    for (const double network : {0.2, 0.5}) {
        const test::TemporaryFolder folder;
        write_run(folder.path());
        test::write_evaluation(folder / "evaluation", test::example_modules(400, network));
        run_report(job_of(folder.path()));
        const auto html = io::read_text(folder / "report.html");
        EXPECT_EQ(html.find("Warning: ") != std::string::npos, network > 0.3);
    }
}

TEST(Report, says_what_is_missing) {
    const test::TemporaryFolder folder;
    write_run(folder.path(), false);
    run_report(job_of(folder.path()));
    const auto html = io::read_text(folder / "report.html");
    EXPECT_THAT(html, testing::HasSubstr("has not been judged yet"));
    EXPECT_THAT(html, testing::HasSubstr("There is no validation"));
    expect_balanced(html);
}

TEST(Report, can_be_made_again) {
    const test::TemporaryFolder folder;
    write_run(folder.path());
    run_report(job_of(folder.path()));
    const auto first = io::read_text(folder / "report.html");
    run_report(job_of(folder.path()));
    EXPECT_EQ(first, io::read_text(folder / "report.html"));
}

TEST(Report, refuses_folders_that_are_no_run) {
    const test::TemporaryFolder folder;
    EXPECT_THAT(test::error_of([&] { run_report(job_of(folder.path())); }),
                testing::HasSubstr("is not the run directory of a training"));
    EXPECT_THAT(test::error_of([&] { run_report(job_of(folder / "absent")); }),
                testing::HasSubstr("is not a folder"));
    EXPECT_THAT(test::error_of([&] { run_report(job_of({})); }), testing::HasSubstr("no run"));
}

TEST(Report, refuses_metrics_that_are_damaged) {
    const test::TemporaryFolder folder;
    write_run(folder.path());
    io::write_text(folder / "metrics.csv", "step,epoch,set,loss\n1,0,train\n");
    EXPECT_THAT(test::error_of([&] { run_report(job_of(folder.path())); }),
                testing::HasSubstr("metrics.csv:2: has 3 columns instead of 4"));
}

TEST(Report, takes_an_evaluation_that_is_named) {
    const test::TemporaryFolder run, elsewhere;
    write_run(run.path());
    test::write_evaluation(elsewhere.path(), test::example_modules(50));
    auto job = job_of(run.path());
    job.config.set("evaluation", elsewhere.path().string());
    run_report(job);
    EXPECT_TRUE(report_numbers(run.path()).at("numbers").has("median JS distance, mean latent"));
    job.config.set("evaluation", (elsewhere / "absent").string());
    EXPECT_THAT(test::error_of([&] { run_report(job); }),
                testing::HasSubstr("is not an evaluation"));
}

}  // namespace hodo::om2vec

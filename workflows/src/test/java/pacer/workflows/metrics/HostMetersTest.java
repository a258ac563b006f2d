package pacer.workflows.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pacer.activities.run.Home;
import pacer.activities.run.TestRuns;
import pacer.trainer.event.TrainingEvent;
import pacer.trainer.spec.Flops;
import pacer.trainer.spec.RunSpec;
import pacer.trainer.spec.SpecLoader;
import pacer.workflows.metrics.GpuMeters.Gpu;

/** Meters of the machine: cache and GPUs. */
class HostMetersTest {
    /** NVML as its header declares it, for one GPU: what a real driver would say is written into it. */
    private static final String LIBRARY = """
            typedef struct { unsigned int gpu, memory; } rates_t;
            typedef struct { unsigned long long total, free, used; } memory_t;
            int nvmlInit_v2(void) { return 0; }
            int nvmlDeviceGetCount_v2(unsigned int *n) { *n = 2; return 0; }
            int nvmlDeviceGetHandleByIndex_v2(unsigned int i, void **d) { *d = (void *)(long)(i + 1); return i == 0 ? 0 : 15; }
            int nvmlDeviceGetName(void *d, char *s, unsigned int n) { if (n < 5) return 7; s[0]='H'; s[1]='1'; s[2]='0'; s[3]='0'; s[4]=0; return 0; }
            int nvmlDeviceGetUtilizationRates(void *d, rates_t *r) { r->gpu = 87; r->memory = 3; return 0; }
            int nvmlDeviceGetMemoryInfo(void *d, memory_t *m) { m->total = 80; m->free = 30; m->used = 50; return 0; }
            int nvmlDeviceGetPowerUsage(void *d, unsigned int *w) { *w = 350500; return 0; }
            int nvmlDeviceGetTemperature(void *d, int sensor, unsigned int *t) { *t = sensor == 0 ? 61 : 0; return 0; }
            int nvmlDeviceGetTotalEccErrors(void *d, int type, int counter, unsigned long long *n) { *n = 10 * type + counter; return 3 * (d != (void *)1); }
            """;

    @TempDir
    private Path folder;

    private final PrometheusRegistry registry = new PrometheusRegistry();

    @Test
    void theCacheCountsAFileOnceWhateverItsNames() throws Exception {
        Home home = TestRuns.home(folder);
        CacheMeters.register(new MeterBook(registry), home, Clock.systemUTC(), OptionalLong.of(5000));
        assertThat(Scrape.of(registry).value("pacer_cache_bytes"))
                .as("before there is one")
                .isEqualTo(0);

        Path dataset = Files.createDirectories(home.datasets().resolve("abc"));
        Files.createDirectories(home.staged());
        Path shard = Files.write(dataset.resolve("train-000000.bin"), new byte[1000]);
        Files.createLink(home.staged().resolve("digest.bin"), shard);
        Files.createSymbolicLink(home.staged().resolve("link"), shard);
        Files.write(Files.createDirectories(home.downloads()).resolve("raw"), new byte[24]);
        PrometheusRegistry again = new PrometheusRegistry();
        CacheMeters.register(new MeterBook(again), home, Clock.systemUTC(), OptionalLong.of(5000));
        assertThat(Scrape.of(again).value("pacer_cache_bytes")).isEqualTo(1024);
        assertThat(Scrape.of(again).value("pacer_cache_limit_bytes")).isEqualTo(5000);
        assertThat(Scrape.of(again).value("pacer_cache_disk_free_bytes")).isPositive();
    }

    @Test
    void withoutALimitTheDiskIsTheLimit() throws Exception {
        Home home = TestRuns.home(folder);
        Files.write(Files.createDirectories(home.downloads()).resolve("raw"), new byte[24]);
        CacheMeters.register(new MeterBook(registry), home, Clock.systemUTC(), OptionalLong.empty());
        double free = Files.getFileStore(folder).getUsableSpace();
        assertThat(Scrape.of(registry).value("pacer_cache_limit_bytes")).isCloseTo(free + 24, within(free / 100));
    }

    @Test
    void gpusAreToldApartAndOneThatDoesNotAnswerIsSeen() {
        GpuMeters.register(
                new MeterBook(registry),
                () -> List.of(
                        new Gpu(0, "H100", true, 0.5, 50L, 80L, 300.5, 61.0, 2L),
                        new Gpu(1, "", false, null, null, null, null, null, null)));
        Scrape scrape = Scrape.of(registry);
        assertThat(scrape.value("pacer_gpu_up{gpu=\"0\",model=\"H100\"}")).isEqualTo(1);
        assertThat(scrape.value("pacer_gpu_up{gpu=\"1\",model=\"\"}")).isEqualTo(0);
        assertThat(scrape.lines("pacer_gpu_utilization_ratio")).hasSize(1);
        assertThat(scrape.value("pacer_gpu_memory_used_bytes{gpu=\"0\",model=\"H100\"}"))
                .isEqualTo(50);
        assertThat(scrape.value("pacer_gpu_uncorrected_errors_total{gpu=\"0\",model=\"H100\"}"))
                .isEqualTo(2);
    }

    @Test
    void aScheduleShowsWhatItOwesOnlyWhileItDoes() {
        ScheduleMeters.register(
                new MeterBook(registry),
                () -> List.of(
                        new ScheduleFacts("kept", Instant.ofEpochSecond(60), null, Duration.ofDays(1)),
                        new ScheduleFacts("late", null, Instant.ofEpochMilli(1500), Duration.ofHours(1)),
                        new ScheduleFacts("paused", Instant.ofEpochSecond(30), null, null)));
        Scrape scrape = Scrape.of(registry);
        assertThat(scrape.value("pacer_schedule_last_result_timestamp_seconds{schedule=\"kept\"}"))
                .isEqualTo(60);
        assertThat(scrape.value("pacer_schedule_owed_since_timestamp_seconds{schedule=\"late\"}"))
                .isEqualTo(1.5);
        assertThat(scrape.lines("pacer_schedule_owed_since_timestamp_seconds")).hasSize(1);
        assertThat(scrape.value("pacer_schedule_interval_seconds{schedule=\"kept\"}"))
                .isEqualTo(86400);
        assertThat(scrape.lines("pacer_schedule_interval_seconds")).hasSize(2);
    }

    @Test
    void withoutADriverThereIsNoGpu() {
        assertThat(Nvml.open("libnvidia-ml-that-is-not-there.so.1")).isEmpty();
        GpuMeters.register(new MeterBook(registry), null);
        assertThat(Scrape.of(registry).lines("pacer_gpu_up")).isEmpty();
    }

    @Test
    void nvmlIsAskedAsItsHeaderSays() throws Exception {
        Path source = Files.writeString(folder.resolve("nvml.c"), LIBRARY);
        Path library = folder.resolve("libnvml.so");
        Process compiler;
        try {
            compiler = new ProcessBuilder("cc", "-w", "-shared", "-fPIC", "-o", library.toString(), source.toString())
                    .inheritIO()
                    .start();
        } catch (IOException e) {
            Assumptions.abort("no C compiler");
            return;
        }
        assertThat(compiler.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(Nvml.open(library.toString()).orElseThrow().get())
                .containsExactly(
                        new Gpu(0, "H100", true, 0.87, 50L, 80L, 350.5, 61.0, 10L),
                        new Gpu(1, "", false, null, null, null, null, null, null));
    }

    @Test
    void mfuIsKnownWhereThePeakIs() {
        RunSpec bf16 = SpecLoader.load("quickstart", List.of(), List.of("train.precision=bf16"));
        TrainingEvent.Started gpu =
                new TrainingEvent.Started(null, 0, 1, 1_000_000 + 64 * 128, 768, 2, "NVIDIA H100 80GB HBM3", 0, null);
        TrainingEvent.Started cpu = new TrainingEvent.Started(null, 0, 1, 1_000_000, 768, 1, "cpu", 0, null);
        double flops = 6e6 + 12 * 4 * 128 * 64;
        assertThat(Flops.perToken(bf16.model(), 1_000_000 + 64 * 128)).isEqualTo(flops);
        assertThat(Utilization.of(bf16, gpu, 1e8)).isCloseTo(flops * 1e8 / (2 * 989.4e12), within(1e-9));
        assertThat(Utilization.of(bf16, cpu, 1e8)).isNull();
        assertThat(Utilization.of(bf16, gpu, null)).isNull();
        RunSpec fp32 = SpecLoader.load("quickstart", List.of(), List.of());
        assertThat(Utilization.of(fp32, gpu, 1e8)).as("another peak").isNull();
    }
}

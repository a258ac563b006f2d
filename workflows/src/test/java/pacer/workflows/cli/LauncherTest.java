package pacer.workflows.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The launcher {@code pacer} with JDKs and a Maven that only say how they were called. */
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {
    /** Says which JDK it is of, what pacer was given, and ends as it is told. */
    private static final String JAVA = """
            #!/bin/sh
            case "$*" in
              *AOTCacheOutput*) # the run that makes the caches; like the real one it misses its expected loss
                [ -z "${FAKE_NO_CACHES-}" ] || exit 1
                for word; do case $word in -XX:AOTCacheOutput=*) echo cli >"${word#*=}" ;; esac; done
                echo trainer >"${PACER_TRAINER_JAVA_OPTIONS#*=}"
                exit 4
                ;;
            esac
            echo "jdk $(basename "$(dirname "$(dirname "$0")")")"
            [ -z "${FAKE_WORDS-}" ] || printf '%s\n' "$FAKE_WORDS" >&2
            shift
            for word; do echo "word [$word]"; done
            exit ${FAKE_EXIT:-0}
            """;

    private static final String MAVEN = """
            #!/bin/sh
            echo "built with $(basename "$JAVA_HOME")" >>built
            echo '[INFO] Building pacer trainer 0.1.0'
            if [ -n "${FAKE_ERROR-}" ]; then echo "[ERROR] $FAKE_ERROR"; exit 1; fi
            mkdir -p workflows/target/pacer/lib
            for m in trainer activities workflows; do mkdir -p $m/target; echo $m >$m/target/$m-0.1.0.jar; done
            printf 'lib/a.jar:lib/b.jar' >workflows/target/pacer/classpath
            """;

    @TempDir
    Path temporary;

    private Path home;
    private Path checkout;
    private Path bin;

    @BeforeEach
    void layOut() throws IOException {
        home = Files.createDirectories(temporary.resolve("home"));
        bin = Files.createDirectories(temporary.resolve("bin"));
        checkout = Files.createDirectories(temporary.resolve("check out")); // a path with a blank
        Path launcher = Path.of("..", "pacer").toAbsolutePath();
        Files.copy(launcher, checkout.resolve("pacer"));
        executable(checkout.resolve("pacer"));
        for (String module : List.of("trainer", "activities", "workflows")) {
            Files.createDirectories(checkout.resolve(module + "/src/main/java"));
            Files.writeString(checkout.resolve(module + "/pom.xml"), "<project/>");
            Files.writeString(checkout.resolve(module + "/src/main/java/A.java"), "class A {}");
        }
        Files.writeString(checkout.resolve("pom.xml"), "<project/>");
        executable(Files.writeString(bin.resolve("mvn"), MAVEN));
    }

    private static Path executable(Path file) throws IOException {
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Path jdk(Path folder, String version, String modules) throws IOException {
        Files.createDirectories(folder.resolve("bin"));
        Files.writeString(folder.resolve("release"), "JAVA_VERSION=\"" + version + "\"\nMODULES=\"" + modules + "\"\n");
        executable(Files.writeString(folder.resolve("bin/java"), JAVA));
        executable(Files.writeString(folder.resolve("bin/javac"), ""));
        return folder;
    }

    private Path good(String name) throws IOException {
        return jdk(home.resolve(".jdks").resolve(name), "25.0.3", "java.base jdk.incubator.vector");
    }

    private record Result(int code, String out, String err) {}

    private Result run(Map<String, String> environment, String... arguments) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(checkout.resolve("pacer").toString());
        builder.command().addAll(List.of(arguments));
        builder.environment().keySet().removeIf(name -> name.startsWith("PACER_") || name.equals("JAVA_HOME"));
        builder.environment().put("HOME", home.toString());
        builder.environment().put("PATH", bin + ":/usr/bin:/bin");
        builder.environment().putAll(environment);
        builder.directory(temporary.toFile());
        Path err = temporary.resolve("err");
        builder.redirectError(err.toFile());
        Process process = builder.start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), out, Files.readString(err));
    }

    private int builds() throws IOException {
        Path log = checkout.resolve("built");
        return Files.exists(log) ? Files.readAllLines(log).size() : 0;
    }

    /** Where the machine that runs the tests has a JDK 25 in the usual places, the launcher may rightly find that one. */
    private Map<String, String> with(Path jdk) {
        return Map.of("JAVA_HOME", jdk.toString());
    }

    @Test
    void anOlderJavaHomeIsPassedOver() throws Exception {
        Path old = jdk(temporary.resolve("old"), "17.0.1", "java.base jdk.incubator.vector");
        Path lacking = jdk(temporary.resolve("lacking"), "25", "java.base");
        good("mine");
        for (Path unfit : List.of(old, lacking)) {
            Result result = run(with(unfit), "version");
            assertThat(result.out()).doesNotContain("jdk old", "jdk lacking");
        }
    }

    @Test
    void aFitJavaHomeIsTakenAndWordsArriveAsTheyWereGiven() throws Exception {
        Result result = run(with(good("mine")), "run", "a b", "--set", "x='y z'", "", "*");
        assertThat(result.out().lines())
                .containsExactly(
                        "jdk mine",
                        "word [pacer.workflows.cli.Pacer]",
                        "word [run]",
                        "word [a b]",
                        "word [--set]",
                        "word [x='y z']",
                        "word []",
                        "word [*]");
        assertThat(result.err()).contains("first use, building with JDK 25", "trainer …", "ready in");
    }

    private Path built() throws IOException {
        return Path.of(Files.readString(checkout.resolve("workflows/target/pacer/current"))
                .strip());
    }

    @Test
    void aBuildMakesTheCachesThatLaterStartsUse() throws Exception {
        Result result = run(with(good("mine")), "version");
        assertThat(result.err()).contains("fast start … ready in");
        assertThat(built().resolve("cli.aot")).hasContent("cli");
        assertThat(built().resolve("trainer.aot")).hasContent("trainer");
        assertThat(built().resolve("cli.args")).content().contains("-XX:AOTCache=" + built().resolve("cli.aot"));
        assertThat(built().resolve("trainer.args"))
                .content()
                .contains("-XX:AOTCache=" + built().resolve("trainer.aot"));
    }

    @Test
    void aBuildWithoutCachesSaysSo() throws Exception {
        Map<String, String> environment = new HashMap<>(with(good("mine")));
        environment.put("FAKE_NO_CACHES", "yes");
        Result result = run(environment, "version");
        assertThat(result.err()).contains("fast start … not to be had (" + built().resolve("warm.log") + ")");
        assertThat(result.out()).contains("word [version]");
        assertThat(built().resolve("cli.args")).content().doesNotContain("AOTCache");
    }

    @Test
    void javaOnThePathIsFollowedThroughLinks() throws Exception {
        Path jdk = jdk(temporary.resolve("linked"), "26-ea", "jdk.incubator.vector");
        Files.createSymbolicLink(bin.resolve("java"), jdk.resolve("bin/java"));
        assertThat(run(Map.of(), "version").out()).startsWith("jdk linked");
    }

    @Test
    void theExitCodeIsPacers() throws Exception {
        Path jdk = good("mine");
        assertThat(run(Map.of("JAVA_HOME", jdk.toString(), "FAKE_EXIT", "3"), "run")
                        .code())
                .isEqualTo(3);
    }

    /** Runs a command line in a terminal of its own; all that is seen there. */
    private String inTerminal(Map<String, String> environment, String line) throws IOException, InterruptedException {
        Path seen = temporary.resolve("seen");
        ProcessBuilder builder = new ProcessBuilder("script", "-q", "-e", "-c", line + "; sleep 0.5", seen.toString());
        builder.environment().keySet().removeIf(name -> name.startsWith("PACER_") || name.equals("JAVA_HOME"));
        builder.environment().putAll(Map.of("HOME", home.toString(), "PATH", bin + ":/usr/bin:/bin"));
        builder.environment().putAll(environment);
        Process process = builder.redirectErrorStream(true).start();
        process.getOutputStream().close();
        process.getInputStream().readAllBytes();
        process.waitFor();
        return Files.readString(seen);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void whyJavaDoesNotStartIsSaidAlsoWhereItsWarningIsLeftOut() throws Exception {
        assumeTrue(Files.exists(Path.of("/usr/bin/script")), "no script(1) here");
        Map<String, String> environment = new HashMap<>(with(good("mine")));
        run(environment, "version");
        String warning = "WARNING: Using incubator modules: jdk.incubator.vector";
        environment.put("FAKE_WORDS", warning);
        String pacer = "'" + checkout.resolve("pacer") + "' doctor";
        assertThat(inTerminal(environment, pacer)).contains("jdk mine").doesNotContain("WARNING", "pacer: Java");

        environment.put(
                "FAKE_WORDS",
                warning + "\nUnrecognized option: --bogus\nError: Could not create the Java Virtual Machine.");
        environment.put("FAKE_EXIT", "1");
        assertThat(inTerminal(environment, pacer))
                .contains("Unrecognized option: --bogus", "pacer: Java did not start", "JDK_JAVA_OPTIONS")
                .doesNotContain("WARNING");
    }

    @Test
    void aFolderThatCannotBeWrittenIsNotTakenForABuildUnderWay() throws Exception {
        Path jdk = good("mine");
        Files.createDirectories(checkout.resolve("workflows/target"));
        // where even root makes no folder
        Path unwritable = Files.exists(Path.of("/proc/self")) ? Path.of("/proc/self") : Path.of("/dev/null");
        Files.createSymbolicLink(checkout.resolve("workflows/target/pacer"), unwritable);
        Result result = run(with(jdk), "version");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.err())
                .contains("pacer: cannot build in " + checkout.resolve("workflows/target/pacer"))
                .doesNotContain("waiting");
    }

    @Test
    void itBuildsOnceAndAgainWhenSourcesChange() throws Exception {
        Map<String, String> jdk = with(good("mine"));
        run(jdk, "version");
        assertThat(run(jdk, "version").err()).isEmpty();
        assertThat(builds()).isEqualTo(1);

        Path source = checkout.resolve("trainer/src/main/java/A.java");
        Files.writeString(source, "class A { int changed; }");
        // an old modification time does not hide a change, such as that of an unpacked file
        Files.setLastModifiedTime(source, FileTime.from(Instant.parse("2001-01-01T00:00:00Z")));
        assertThat(run(jdk, "version").err()).contains("sources changed (trainer/src/main/java/A.java)");
        assertThat(builds()).isEqualTo(2);

        Files.delete(checkout.resolve("workflows/src/main/java/A.java"));
        assertThat(run(jdk, "version").err()).contains("sources changed (workflows/src/main/java)");
        assertThat(builds()).isEqualTo(3);
        assertThat(run(jdk, "version").err()).isEmpty();
    }

    @Test
    void aBuildThatIsInUseStays() throws Exception {
        Map<String, String> jdk = with(good("mine"));
        run(jdk, "version");
        Path builds = checkout.resolve("workflows/target/pacer/builds");
        Path first;
        try (var list = Files.list(builds)) {
            first = list.findFirst().orElseThrow();
        }
        Files.createFile(first.resolve("used-by." + ProcessHandle.current().pid()));
        Files.writeString(checkout.resolve("pom.xml"), "<project></project>");
        run(jdk, "version");
        assertThat(first.resolve("trainer.jar")).exists();
        Files.delete(first.resolve("used-by." + ProcessHandle.current().pid()));
        Files.writeString(checkout.resolve("pom.xml"), "<project/>");
        run(jdk, "version");
        assertThat(first).doesNotExist();
    }

    @Test
    void aFailedBuildSaysWhyAndRunsNothing() throws Exception {
        Path jdk = good("mine");
        Result result = run(
                Map.of("JAVA_HOME", jdk.toString(), "FAKE_ERROR", "/x/A.java:[1,2] error: ';' expected"), "version");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.out()).isEmpty();
        assertThat(result.err())
                .contains("failed\n[ERROR] /x/A.java:[1,2] error: ';' expected", "its log is " + checkout);
        assertThat(run(with(jdk), "version").err()).contains("first use");
    }

    @Test
    void aMavenThatReachesNothingIsToldApart() throws Exception {
        Path jdk = good("mine");
        Result result =
                run(Map.of("JAVA_HOME", jdk.toString(), "FAKE_ERROR", "Could not transfer artifact a:b:1"), "version");
        assertThat(result.err()).contains("pacer: Maven could not reach its repository");
    }

    @Test
    void theClassPathKeepsItsOrderAndSurvivesBlanks() throws Exception {
        run(with(good("mine")), "version");
        Path current = Path.of(Files.readString(checkout.resolve("workflows/target/pacer/current"))
                .strip());
        String arguments = Files.readString(current.resolve("cli.args"));
        String lib = checkout.resolve("workflows/target/pacer/lib").toString();
        assertThat(arguments)
                .contains("\"" + current + "/workflows.jar:" + current + "/activities.jar:" + current + "/trainer.jar:"
                        + lib + "/a.jar:" + lib + "/b.jar\"")
                .doesNotContain("jdk.incubator.vector");
        assertThat(Files.readString(current.resolve("trainer.args"))).contains("--add-modules jdk.incubator.vector");
    }

    @Test
    void javasWarningIsLeftOutWhereverStandardErrorLeadsAndNothingElse() throws Exception {
        Path jdk = good("mine");
        Path java = jdk.resolve("bin/java");
        run(with(jdk), "version");
        String warning = "WARNING: Using incubator modules: jdk.incubator.vector";
        Files.writeString(
                java,
                Files.readString(java)
                        .replaceFirst(
                                "\nshift\n", "\necho '" + warning + "' >&2; echo 'no memory for Java' >&2; shift\n"));
        for (String command : List.of("sample", "parity", "doctor")) {
            assertThat(run(with(jdk), command).out()).contains("word [" + command + "]");
            awaitErrors("no memory for Java\n");
        }
        run(Map.of("JAVA_HOME", jdk.toString(), "PACER_DEBUG", "1"), "sample");
        awaitErrors(warning + "\nno memory for Java\n");
    }

    /** The filter's last words come when Java has ended. */
    private void awaitErrors(String expected) throws Exception {
        Path err = temporary.resolve("err");
        for (int i = 0; i < 500 && !Files.readString(err).equals(expected); i++) {
            Thread.sleep(10);
        }
        assertThat(err).hasContent(expected);
    }

    @Test
    void anInstallationThatCannotBeWrittenRuns() throws Exception {
        Map<String, String> jdk = with(good("mine"));
        run(jdk, "version");
        Path build = built();
        try (var files = Files.newDirectoryStream(build, "{used-by.*,commit}")) {
            for (Path file : files) {
                Files.delete(file);
            }
        }
        Files.createDirectories(build.resolve("commit")); // fails for root too
        Result result = run(jdk, "version");
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.err()).isEmpty();
        assertThat(result.out()).contains("word [version]");
    }
}

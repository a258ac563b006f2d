package pacer.workflows.cli;

public final class Pacer {
    private Pacer() {}

    public static void main(String[] args) {
        System.out.println("hello " + String.join(" ", args));
    }
}

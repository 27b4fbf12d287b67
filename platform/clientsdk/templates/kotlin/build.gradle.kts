plugins {
    kotlin("jvm") version "2.0.0"
}

repositories {
    mavenCentral()
}

dependencies {
    // Android has it; elsewhere it is this library.
    implementation("org.json:json:20240303")
}

// Show where a recording cannot be played: the player itself only turns grey.

for (const audio of document.querySelectorAll(".piece audio")) {
  const trouble = audio.parentElement.querySelector(".trouble");
  audio.addEventListener("error", () => {
    trouble.hidden = false;
  });
  audio.addEventListener("playing", () => {
    trouble.hidden = true;
    // One at a time: two voices at once help nobody.
    for (const other of document.querySelectorAll(".piece audio")) {
      if (other !== audio) {
        other.pause();
      }
    }
  });
}

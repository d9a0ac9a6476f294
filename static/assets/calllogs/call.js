// The page of a call: a click on one of Whisper's words plays the recording from there, and the word being heard is marked.
"use strict";

function follow(words) {
  const audio = document.getElementById(words.dataset.audio);
  if (!audio) return;
  const spoken = [...words.querySelectorAll(".call-word")].map((element) => ({
    element,
    start: Number(element.dataset.startMs) / 1000,
    end: Number(element.dataset.endMs) / 1000,
  }));
  const now = words.querySelector(".call-now");

  words.addEventListener("click", (event) => {
    const from = event.target.closest("[data-start-ms]");
    if (!from) return;
    audio.currentTime = Number(from.dataset.startMs) / 1000;
    audio.play();
  });

  audio.addEventListener("timeupdate", () => {
    const at = audio.currentTime;
    for (const word of spoken) {
      word.element.classList.toggle("is-now", word.start <= at && at < Math.max(word.end, word.start + 0.15));
    }
    if (now && audio.duration) {
      const percent = (100 * at) / audio.duration;
      now.setAttribute("x1", percent);
      now.setAttribute("x2", percent);
    }
  });
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".call-words").forEach(follow));
